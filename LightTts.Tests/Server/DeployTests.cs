using System.Text.RegularExpressions;
using LightTts.Samples.Server;
using LightTts.Tests.Packages;
using LightTts.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace LightTts.Tests.Server;

/// <summary>The files that put the server on a machine.</summary>
public sealed partial class DeployTests : IDisposable
{
    private static readonly string Deploy = Path.Combine(Repo.Root, "LightTts.Samples", "Server", "deploy");
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-deploy-").FullName;

    public DeployTests() => Assert.SkipUnless(Directory.Exists(Deploy), "the tests run without the sources");

    [Fact]
    public async Task Systemd_has_nothing_to_say_against_the_unit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed");
        var unit = await File.ReadAllTextAsync(Path.Combine(Deploy, "lighttts-server.service"));
        Assert.Contains("ExecStart=/opt/lighttts/LightTts.Server\n", unit, StringComparison.Ordinal);
        var file = Path.Combine(_folder, "lighttts-server.service");
        await File.WriteAllTextAsync(file, unit.Replace("/opt/lighttts/LightTts.Server", "/bin/true", StringComparison.Ordinal)); // it must exist
        Assert.Empty((await ConsoleProcess.RunAsync(_folder, null, "systemd-analyze", "verify", file)).Trim());
        // A misspelt setting is what it would find.
        await File.AppendAllTextAsync(file, "\n[Service]\nNoNewPrivilege=yes\n");
        using var process = new ConsoleProcess(_folder, null, "systemd-analyze", "verify", file);
        await process.ExitAsync();
        Assert.Contains("NoNewPrivilege", process.Output, StringComparison.Ordinal);
    }

    /// <summary>Files that are copied, settings that are set: a container that nobody built here must at least name what there is.</summary>
    [Theory]
    [InlineData("Dockerfile")]
    [InlineData("compose.yaml")]
    [InlineData("lighttts-server.service")]
    public void What_they_name_exists(string file)
    {
        var text = File.ReadAllText(Path.Combine(Deploy, file));
        foreach (Match path in RepositoryPath().Matches(text))
            Assert.True(Path.Exists(Path.Combine(Repo.Root, path.Value)), $"{file} names {path.Value}");
        var settings = Setting().Matches(text).Select(match => match.Value.Replace("__", ":", StringComparison.Ordinal)).Distinct().ToList();
        Assert.NotEmpty(settings);
        foreach (var setting in settings.Where(setting => setting.StartsWith("Server:", StringComparison.Ordinal)))
            Assert.True(typeof(ServerOptions).GetProperty(setting.Split(':')[1]) is not null, $"{file} sets {setting}");
        foreach (var setting in settings.Where(setting => setting.StartsWith("LightTts:", StringComparison.Ordinal)))
            Assert.True(typeof(LightTts.Extensions.LightTtsOptions).GetProperty(setting.Split(':')[1]) is not null, $"{file} sets {setting}");
        Assert.DoesNotContain(":latest", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_stops_it_waits_longer_than_it_drains()
    {
        var drain = new ServerOptions().DrainTimeout.TotalSeconds + 10; // the host's own limit
        foreach (var (file, pattern) in new[] { ("compose.yaml", "stop_grace_period: (\\d+)s"),
        ("lighttts-server.service", "TimeoutStopSec=(\\d+)") })
            Assert.True(int.Parse(Regex.Match(File.ReadAllText(Path.Combine(Deploy, file)), pattern).Groups[1].Value) > drain, file);
    }

    [Fact]
    public void The_environment_binds_to_the_options()
    {
        var options = new ServerOptions();
        Environment.SetEnvironmentVariable("LTTEST_Server__ApiKeys__0__Key", "1234567890123456");
        try
        {
            new ConfigurationBuilder().AddEnvironmentVariables("LTTEST_").Build().GetSection(ServerOptions.Section).Bind(options);
        }
        finally
        {
            Environment.SetEnvironmentVariable("LTTEST_Server__ApiKeys__0__Key", null);
        }
        Assert.Equal("1234567890123456", Assert.Single(options.ApiKeys).Key);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [GeneratedRegex("LightTts\\.Samples/[A-Za-z/._-]+[a-z]")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex("(?:Server|LightTts)__[A-Za-z0-9_]+")]
    private static partial Regex Setting();
}
