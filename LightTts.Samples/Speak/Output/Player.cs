using System.ComponentModel;
using System.Diagnostics;

namespace LightTts.Samples.Speak.Output;

/// <summary>A program of this machine that plays sound: from its standard input while it is made, or a file once it is complete.</summary>
internal sealed class Player : IDisposable
{
    private const string FileMark = "{file}";

    // In this order: what follows the user's sound settings first.
    private static readonly (string Program, string[] Arguments)[] s_known =
    [
        ("pw-play", ["-"]),
        ("paplay", []),
        ("aplay", ["-q", "-"]),
        ("ffplay", ["-nodisp", "-autoexit", "-loglevel", "error", "-i", "-"]),
        ("play", ["-q", "-t", "wav", "-"]),
        ("afplay", [FileMark]),
    ];

    private static readonly (string Program, string[] Arguments) s_powerShell =
        ("powershell", ["-NoProfile", "-NonInteractive", "-Command", $"(New-Object System.Media.SoundPlayer '{FileMark}').PlaySync()"]);

    private readonly string _path;
    private readonly string[] _arguments;
    private readonly string? _file;     // what is played at the end, for a program that takes no stream
    private Process? _process;

    private Player(string name, string path, string[] arguments)
    {
        (Name, _path, _arguments) = (name, path, arguments);
        if (Array.Exists(arguments, argument => argument.Contains(FileMark, StringComparison.Ordinal)))
            _file = Path.Combine(Path.GetTempPath(), $"lighttts-{Path.GetRandomFileName()}.wav");
        else
            _process = Run();
    }

    public static string Names => string.Join(", ", Candidates.Select(player => player.Program));

    public string Name { get; }

    private static IEnumerable<(string Program, string[] Arguments)> Candidates =>
        OperatingSystem.IsWindows() ? s_known.Append(s_powerShell) : s_known;

    /// <summary>The first player that is there, or null.</summary>
    public static Player? Start()
    {
        foreach (var (program, arguments) in Candidates)
        {
            if (Find(program) is not { } path)
                continue;
            try
            {
                return new Player(program, path, arguments);
            }
            catch (Win32Exception)
            {
                // It is there and cannot run: the next one.
            }
        }
        return null;
    }

    /// <summary>Where the audio goes.</summary>
    public AudioSink Open(int sampleRate) =>
        _file is null ? AudioSink.Wav(_process!.StandardInput.BaseStream, sampleRate) : AudioSink.Wav(_file, sampleRate);

    /// <summary>Waits until the audio was heard.</summary>
    /// <exception cref="IOException">The player failed.</exception>
    public async Task EndAsync(CancellationToken cancellation)
    {
        _process ??= Run();
        await _process.WaitForExitAsync(cancellation);
        if (_process.ExitCode != 0)
            throw new IOException($"{Name} could not play the audio (exit code {_process.ExitCode}). Write a file instead: -o speech.wav");
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
            _process.Kill();
        _process?.Dispose();
        if (_file is not null)
            File.Delete(_file);
    }

    private Process Run() =>
        Process.Start(new ProcessStartInfo(_path, _arguments.Select(argument => argument.Replace(FileMark, _file, StringComparison.Ordinal)))
        {
            RedirectStandardInput = true,
        })!;

    private static string? Find(string program)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var name = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}
