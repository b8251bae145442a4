using System.ComponentModel;
using System.Diagnostics;

namespace LightTts.Samples.Speak.Output;

/// <summary>A program of this machine that plays a WAV stream from its standard input.</summary>
internal sealed class Player : IDisposable
{
    // In this order: what follows the user's sound settings first.
    private static readonly (string Program, string[] Arguments)[] Known =
    [
        ("paplay", []),
        ("aplay", ["-q", "-"]),
        ("ffplay", ["-nodisp", "-autoexit", "-loglevel", "error", "-i", "-"]),
        ("play", ["-q", "-t", "wav", "-"]),
    ];

    private readonly Process _process;

    private Player(string name, Process process) => (Name, _process) = (name, process);

    public static string Names => string.Join(", ", Known.Select(player => player.Program));

    public string Name { get; }

    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Starts the first player that is there, or returns null.</summary>
    public static Player? Start()
    {
        foreach (var (program, arguments) in Known)
        {
            if (Find(program) is not { } path)
                continue;
            try
            {
                return new Player(program, Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardInput = true })!);
            }
            catch (Win32Exception)
            {
                // It is there and cannot run: the next one.
            }
        }
        return null;
    }

    /// <summary>Waits until the audio that the player has taken was heard.</summary>
    /// <exception cref="IOException">The player failed.</exception>
    public async Task EndAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        if (_process.ExitCode != 0)
            throw new IOException($"{Name} could not play the audio (exit code {_process.ExitCode}). Write a file instead: -o speech.wav");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private static string? Find(string program)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var name = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}
