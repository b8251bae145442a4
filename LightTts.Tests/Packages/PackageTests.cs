using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>Packs, and uses the packages as a stranger would: in a new console app outside the repository.</summary>
/// <remarks>Takes minutes, so it runs only where LIGHTTTS_PACKAGE_TEST is 1, and in CI.</remarks>
[Trait("Category", "Package")]
[Collection("Packages")]
public sealed class PackageTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-package-").FullName;
    private string Feed => Path.Combine(_folder, "feed");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("LIGHTTTS_PACKAGE_TEST") == "1" || Environment.GetEnvironmentVariable("CI") is "true" or "1",
            "takes minutes; set LIGHTTTS_PACKAGE_TEST=1 to run it");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "pack.sh needs a POSIX shell");
        await ConsoleProcess.RunAsync(Repo.Root, null, "sh", Path.Combine(Repo.Root, "pack.sh"), Feed, Version);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>A version that no package cache has seen.</summary>
    private static string Version { get; } = $"0.1.{Environment.ProcessId}";

    [Fact]
    public async Task The_readme_example_works_in_a_new_console_app()
    {
        CheckPackages();
        var example = ReadmeExample.Read(await File.ReadAllTextAsync(Path.Combine(Repo.Root, "README.md")));
        var app = Path.Combine(_folder, "app");
        var environment = UseFeed();
        await ConsoleProcess.RunAsync(_folder, environment, "dotnet", "new", "console", "--name", "app", "--no-restore");
        foreach (var package in example.Packages)
            await ConsoleProcess.RunAsync(app, environment, "dotnet", ["add", "package", .. package]);
        Assert.Contains($"\"LightTts.Core/{Version}\"", await File.ReadAllTextAsync(Path.Combine(app, "obj", "project.assets.json")));
        await File.WriteAllTextAsync(Path.Combine(app, "Program.cs"), example.Program);
        await ConsoleProcess.RunAsync(app, environment, "dotnet", "run", "--project", "app.csproj");

        var file = Assert.Single(Directory.GetFiles(app, "*.wav"));
        await using var stream = File.OpenRead(file);
        var clip = AudioClip.FromWav(stream);
        Assert.Equal(24_000, clip.SampleRate);
        Assert.InRange(clip.Duration.TotalSeconds, 0.5, 30);
        Assert.InRange(MathF.Sqrt(clip.Samples.ToArray().Average(sample => sample * sample)), 0.005f, 0.5f);
    }

    private void CheckPackages()
    {
        foreach (var id in new[] { "LightTts.Core", "LightTts.Extensions", "LightTts.Models.TinyEn" })
        {
            using var package = ZipFile.OpenRead(Path.Combine(Feed, $"{id}.{Version}.nupkg"));
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
                Assert.InRange(new FileInfo(Path.Combine(Feed, $"{id}.{Version}.nupkg")).Length, 1, 250_000_000);
                continue;
            }
            Assert.Contains(package.Entries, entry => entry.FullName == $"lib/net10.0/{id}.xml");
            Assert.True(File.Exists(Path.Combine(Feed, $"{id}.{Version}.snupkg")));
            // A deterministic build carries no path of the machine that made it.
            using var assembly = new MemoryStream();
            package.Entries.Single(entry => entry.FullName == $"lib/net10.0/{id}.dll").Open().CopyTo(assembly);
            Assert.DoesNotContain(Repo.Root, Encoding.Latin1.GetString(assembly.ToArray()));
        }
    }

    /// <summary>The local feed beside the repository's own source. New packages are unpacked in the test's folder; what the machine has already is only read.</summary>
    private Dictionary<string, string> UseFeed()
    {
        var sources = XDocument.Load(Path.Combine(Repo.Root, "nuget.config")).Root!;
        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        sources.Element("packageSources")!.Add(new XElement("add", new XAttribute("key", "local"), new XAttribute("value", Feed)));
        sources.Add(new XElement("fallbackPackageFolders", new XElement("add", new XAttribute("key", "known"), new XAttribute("value", known))));
        sources.Save(Path.Combine(_folder, "nuget.config"));
        return new Dictionary<string, string>
        {
            ["NUGET_PACKAGES"] = Path.Combine(_folder, "packages"),
            ["CreateHardLinksForCopyFilesToOutputDirectoryIfPossible"] = "true",
            ["CreateHardLinksForCopyLocalIfPossible"] = "true",
        };
    }
}
