using LightTts.Tests.Packages;

namespace LightTts.Tests.Server;

/// <summary><c>dotnet new lighttts-server</c>: installed from its package into a hive of its own, made, built, started.</summary>
[Trait("Category", "Package")]
[Collection("Packages")]
public sealed class TemplateTests(PackedFeed packed) : IClassFixture<PackedFeed>
{
    [Fact]
    public async Task What_the_template_makes_builds_and_speaks()
    {
        PackedFeed.Need();
        var hive = Path.Combine(packed.Folder, "hive");
        var package = Path.Combine(packed.Feed, $"LightTts.Templates.{packed.Version}.nupkg");
        Assert.True(File.Exists(package), "pack.sh made no LightTts.Templates");
        await DotnetAsync("new", "install", package, "--debug:custom-hive", hive);
        await DotnetAsync("new", "lighttts-server", "-o", "TalkingServer", "--version", packed.Version, "--debug:custom-hive", hive);
        var app = Path.Combine(packed.Folder, "TalkingServer");
        Assert.True(File.Exists(Path.Combine(app, "TalkingServer.csproj")));
        foreach (var file in Directory.GetFiles(app, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("LightTts.Samples", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(app, "nuget.config"), $"""
            <configuration><packageSources><add key="lighttts" value="{packed.Feed}" /></packageSources></configuration>
            """);
        await ConsoleProcess.RunAsync(app, packed.Environment, "dotnet", "build", "--nologo", "-warnaserror");

        using var server = new ConsoleProcess(app, packed.Environment, "dotnet", Path.Combine(app, "bin", "Debug", "net10.0", "TalkingServer.dll"),
            "--Server:Port=0", "--LightTts:WarmUp=Blocking", "--LightTts:ShareTimbres=false");
        await server.SeesAsync("Application started.");
        var address = System.Text.RegularExpressions.Regex.Match(server.Output, "Now listening on: (\\S+)").Groups[1].Value;
        using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(2) };
        Assert.Contains("<title>LightTts</title>", await client.GetStringAsync("/"), StringComparison.Ordinal);
        using var answer = await client.PostAsync("/v1/audio/speech", new StringContent("""{"input":"Hello.","response_format":"wav"}"""));
        Assert.InRange((await answer.Content.ReadAsByteArrayAsync()).Length, 12_000, 480_000);
    }

    private Task<string> DotnetAsync(params string[] arguments) => ConsoleProcess.RunAsync(packed.Folder, packed.Environment, "dotnet", arguments);
}
