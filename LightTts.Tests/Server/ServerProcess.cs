using System.Globalization;
using System.Text.RegularExpressions;
using LightTts.Tests.Packages;

namespace LightTts.Tests.Server;

/// <summary>The server as a process of its own, with the embedded voice, that can be killed.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    private readonly ConsoleProcess _process;

    private ServerProcess(ConsoleProcess process, Uri address)
    {
        _process = process;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };
    }

    public HttpClient Client { get; }

    public string Output => _process.Output;

    /// <summary>Starts it and waits until it serves.</summary>
    /// <param name="folder">Where it keeps the voices that it learns.</param>
    /// <param name="more">More arguments.</param>
    public static async Task<ServerProcess> StartAsync(string folder, params string[] more)
    {
        var temporary = Directory.CreateDirectory(Path.Combine(folder, "temporary")).FullName;
        // Without the runtime's own sockets for debuggers what is left in the folder is the server's.
        var environment = new Dictionary<string, string> { ["TMPDIR"] = temporary, ["DOTNET_EnableDiagnostics"] = "0" };
        var process = new ConsoleProcess(folder, environment, "dotnet", [
            Path.Combine(AppContext.BaseDirectory, "LightTts.Server.dll"), "--Server:Port=0",
            "--LightTts:WarmUp=Blocking", $"--LightTts:TimbreSegmentPath={Path.Combine(folder, "segment")}",
            $"--LightTts:TimbreDurableFolder={Path.Combine(folder, "voices")}", .. more]);
        await process.SeesAsync("Application started.");
        return new ServerProcess(process, new Uri(Listening().Match(process.Output).Groups[1].Value));
    }

    /// <summary>Waits for a text in its output.</summary>
    public Task SeesAsync(string text) => _process.SeesAsync(text);

    public Task<int> ExitAsync() => _process.ExitAsync();

    /// <summary>kill -9, or another signal.</summary>
    public async Task SignalAsync(string signal) =>
        await ConsoleProcess.RunAsync(Path.GetTempPath(), null, "kill", "-" + signal, _process.Id.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        Client.Dispose();
        _process.Dispose();
    }

    [GeneratedRegex("Now listening on: (\\S+)")]
    private static partial Regex Listening();
}
