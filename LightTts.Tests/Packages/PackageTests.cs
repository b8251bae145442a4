using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The packages, and what the README says to do with them, tried outside the repository.</summary>
/// <remarks>Takes a minute or two, so it runs only where LIGHTTTS_PACKAGE_TEST is 1, and in CI.</remarks>
[Trait("Category", "Package")]
[Collection("Packages")]
public sealed class PackageTests(PackedFeed packed) : IClassFixture<PackedFeed>
{
    [Fact]
    public async Task The_readme_example_works_in_a_new_console_app()
    {
        PackedFeed.Need();
        var shell = Assert.Single(ReadmeBlock.All(ReadmeCheck.Shell));
        var program = Assert.Single(ReadmeBlock.All(ReadmeCheck.Program));
        Assert.Equal("./pack.sh ~/lighttts-feed", shell.Lines.First()); // packed already, there
        await ConsoleProcess.RunAsync(packed.Folder, packed.Environment, "bash", "-euc", string.Join('\n', shell.Lines.Skip(1)));
        var app = Path.Combine(packed.Folder, "hello");
        Assert.Contains($"\"LightTts.Core/{packed.Version}\"", await File.ReadAllTextAsync(Path.Combine(app, "obj", "project.assets.json")));
        await File.WriteAllTextAsync(Path.Combine(app, "Program.cs"), program.Text);
        var output = await ConsoleProcess.RunAsync(app, packed.Environment, "dotnet", "run");
        Assert.Matches(@"^\d+\.\d\d s of audio, ready after \d+\.\d\d s", output);

        var file = Assert.Single(Directory.GetFiles(app, "*.wav"));
        await using var stream = File.OpenRead(file);
        var clip = AudioClip.FromWav(stream);
        Assert.Equal(24_000, clip.SampleRate);
        Assert.InRange(clip.Duration.TotalSeconds, 0.5, 30);
        Assert.InRange(MathF.Sqrt(clip.Samples.ToArray().Average(sample => sample * sample)), 0.005f, 0.5f);
    }

    /// <summary>Each part of a program, with its own using lines and nothing but what a new web application has.</summary>
    [Fact]
    public async Task The_readme_s_other_code_compiles_with_the_packages_it_names()
    {
        PackedFeed.Need();
        var web = Directory.CreateDirectory(Path.Combine(packed.Folder, "web")).FullName;
        var packages = ReadmeBlock.All(ReadmeCheck.Packages).SelectMany(block => block.Lines).Select(line =>
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.All(packages, line => Assert.Equal(["dotnet", "add", "package"], line[..3]));
        await File.WriteAllTextAsync(Path.Combine(web, "web.csproj"), Project(packages));
        await File.WriteAllTextAsync(Path.Combine(web, "nuget.config"), $"""
            <configuration><packageSources><add key="lighttts" value="{packed.Feed}" /></packageSources></configuration>
            """);
        var blocks = ReadmeBlock.All(ReadmeCheck.Compiled);
        for (var i = 0; i < blocks.Count; i++)
        {
            var lines = blocks[i].Text.Split('\n').ToLookup(line =>
                line.StartsWith("using ", StringComparison.Ordinal) && line.TrimEnd().EndsWith(';') && !line.Contains('='));
            var builder = blocks[i].Text.Contains("var builder", StringComparison.Ordinal) ? "string[] args"
                : "WebApplicationBuilder builder, WebApplication app";
            // It goes on from the program before it.
            var more = blocks[i].Text.Contains("tts.Timbres", StringComparison.Ordinal) ? "using LightTts;" : "";
            await File.WriteAllTextAsync(Path.Combine(web, $"Block{i}.cs"), $$"""
                {{string.Join('\n', lines[true])}}
                {{more}}
                static class Block{{i}}
                {
                    {{(new[] { "await foreach", "TtsModels." }.Any(part => blocks[i].Text.Contains(part, StringComparison.Ordinal))
                        ? "static async Task Run(TtsPipeline tts, IAsyncEnumerable<string> tokens, Stream player)" : $"static void Run({builder})")}}
                    {
                {{string.Join('\n', lines[false])}}
                    }
                }
                """);
        }
        await File.WriteAllTextAsync(Path.Combine(web, "Program.cs"), "return;");
        await ConsoleProcess.RunAsync(web, packed.Environment, "dotnet", "build", "--nologo", "-warnaserror:CS8600,CS8602,CS8604");
    }

    [Fact]
    public void Packages_hold_what_they_should()
    {
        PackedFeed.Need();
        foreach (var id in new[] { "LightTts.Core", "LightTts.Extensions", "LightTts.Models.TinyEn" })
        {
            using var package = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{id}.{packed.Version}.nupkg"));
            var metadata = XDocument.Load(package.Entries.Single(entry => entry.FullName == id + ".nuspec").Open()).Root!.Elements().Single();
            string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
            Assert.Equal(("Apache-2.0", "README.md"), (Value("license"), Value("readme")));
            Assert.NotEmpty(Value("description")!);
            Assert.Contains(package.Entries, entry => entry.FullName == "README.md");
            Assert.DoesNotContain(package.Entries, entry => entry.Name.EndsWith(".so") || entry.Name.EndsWith(".dylib"));
            if (id == "LightTts.Models.TinyEn")
            {
                Assert.Contains(package.Entries, entry => entry.FullName == "models/lighttts-tiny-en/llm.pt");
                Assert.Contains(package.Entries, entry => entry.FullName == "buildTransitive/LightTts.Models.TinyEn.targets");
                Assert.InRange(new FileInfo(Path.Combine(packed.Feed, $"{id}.{packed.Version}.nupkg")).Length, 1, 250_000_000);
                continue;
            }
            var documents = XDocument.Load(package.Entries.Single(entry => entry.FullName == $"lib/net10.0/{id}.xml").Open());
            Assert.DoesNotContain(documents.Descendants("member"), member => member.Value.Contains("○", StringComparison.Ordinal)
                || ((string)member.Attribute("name")!).Contains(".Generated.", StringComparison.Ordinal));
            Assert.True(File.Exists(Path.Combine(packed.Feed, $"{id}.{packed.Version}.snupkg")));
            // A deterministic build carries no path of the machine that made it.
            using var assembly = new MemoryStream();
            package.Entries.Single(entry => entry.FullName == $"lib/net10.0/{id}.dll").Open().CopyTo(assembly);
            Assert.DoesNotContain(Repo.Root, Encoding.Latin1.GetString(assembly.ToArray()));
        }
    }

    /// <summary>All that the command loads by name is in the tool's package: its libraries, the natives of this system, the voice.</summary>
    [Fact]
    public void The_tool_is_complete()
    {
        PackedFeed.Need();
        const string Root = "tools/net10.0/any/";
        using var package = ZipFile.OpenRead(Path.Combine(packed.Feed, $"LightTts.Tool.{packed.Version}.nupkg"));
        var sizes = package.Entries.ToDictionary(entry => entry.FullName, entry => entry.Length, StringComparer.Ordinal);
        var settings = XDocument.Load(package.GetEntry(Root + "DotnetToolSettings.xml")!.Open()).Descendants("Command").Single();
        Assert.Equal(("speak", "speak.dll"), ((string?)settings.Attribute("Name"), (string?)settings.Attribute("EntryPoint")));
        Assert.Contains(Root + "speak.runtimeconfig.json", sizes.Keys);
        var libraries = JsonNode.Parse(package.GetEntry(Root + "speak.deps.json")!.Open())!["targets"]!.AsObject().Single().Value!.AsObject();
        var (managed, native) = (0, 0);
        foreach (var (_, library) in libraries)
        {
            foreach (var (path, _) in library!["runtime"]?.AsObject() ?? [])
            {
                Assert.True(sizes.GetValueOrDefault(Root + Path.GetFileName(path)) > 0, path);
                managed++;
            }
            foreach (var (path, target) in library["runtimeTargets"]?.AsObject() ?? [])
            {
                Assert.True(sizes.ContainsKey(Root + path), path);
                native += (string?)target!["rid"] == RuntimeInformation.RuntimeIdentifier ? 1 : 0;
            }
        }
        Assert.True(managed > 10 && native > 4, $"{managed} libraries, {native} of them native");
        foreach (var file in Directory.GetFiles(Repo.TinyEn, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) != ".md"))
            Assert.Equal(new FileInfo(file).Length, sizes.GetValueOrDefault(
                $"{Root}models/lighttts-tiny-en/{Path.GetRelativePath(Repo.TinyEn, file).Replace('\\', '/')}"));
    }

    private static string Reference(string[] words) =>
        $"<PackageReference Include=\"{words[3]}\" Version=\"{(words.Length > 5 ? words[5] : "*")}\" />";

    private static string Project(IEnumerable<string[]> packages) => $"""
        <Project Sdk="Microsoft.NET.Sdk.Web">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
          <ItemGroup>
            {string.Join('\n', packages.Select(Reference))}
          </ItemGroup>
        </Project>
        """;
}
