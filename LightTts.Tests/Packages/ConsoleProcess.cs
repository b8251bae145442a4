using System.Diagnostics;
using System.Text;

namespace LightTts.Tests.Packages;

/// <summary>A child process whose output a test can wait for.</summary>
internal sealed class ConsoleProcess : IDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Process _process;
    private readonly CancellationTokenSource _tooLong = new(TimeSpan.FromMinutes(10));
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConsoleProcess(string folder, IReadOnlyDictionary<string, string>? environment, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        // What the test run sets for itself must not steer the child's build.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Take(e.Data);
        _process.ErrorDataReceived += (_, e) => Take(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Runs a command to its end and fails the test with its output where it fails.</summary>
    public static async Task<string> RunAsync(string folder, IReadOnlyDictionary<string, string>? environment, string file, params string[] arguments)
    {
        using var process = new ConsoleProcess(folder, environment, file, arguments);
        var exitCode = await process.ExitAsync();
        Assert.True(exitCode == 0, $"{file} {string.Join(' ', arguments)} ended with {exitCode}:\n{process.Output}");
        return process.Output;
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(_tooLong.Token);
        return _process.ExitCode;
    }

    /// <summary>Waits until the output contains a text; fails where the process ends before.</summary>
    public async Task SeesAsync(string text)
    {
        while (true)
        {
            Task more;
            lock (_output)
                more = _more.Task;
            if (Output.Contains(text))
                return;
            var exit = _process.WaitForExitAsync(_tooLong.Token);
            await (await Task.WhenAny(more, exit));
            Assert.False(exit.IsCompleted && !Output.Contains(text), $"The process ended without saying '{text}':\n{Output}");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _tooLong.Dispose();
    }

    private void Take(string? line)
    {
        TaskCompletionSource more;
        lock (_output)
        {
            _output.AppendLine(line);
            more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }
}
