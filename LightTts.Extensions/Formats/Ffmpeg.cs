using System.Diagnostics;

namespace LightTts.Extensions.Formats;

/// <summary>The ffmpeg program of this machine.</summary>
internal static class Ffmpeg
{
    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["ffmpeg.exe"] : ["ffmpeg"];

    /// <summary>Where it is, or null where it is not installed.</summary>
    public static string? Path { get; } = Find();

    /// <summary>Starts it with its standard streams in our hands.</summary>
    /// <exception cref="NotSupportedException">It is not installed, or cannot be started.</exception>
    public static Process Start(string what, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path ?? throw NotInstalled(what))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        foreach (var argument in (string[])["-nostdin", "-hide_banner", "-loglevel", "error", .. arguments])
            start.ArgumentList.Add(argument);
        try
        {
            var process = Process.Start(start)!;
            process.ErrorDataReceived += static (_, _) => { }; // read, so that it cannot block on it
            process.BeginErrorReadLine();
            return process;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new NotSupportedException($"{what} needs ffmpeg, which is installed but could not be started.", e);
        }
    }

    /// <summary>Ends it, whatever it does.</summary>
    public static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended already.
        }
        process.Dispose();
    }

    private static NotSupportedException NotInstalled(string what) =>
        new($"{what} needs ffmpeg, which is not installed here. Install it (apt-get install ffmpeg, say), or use wav, pcm, opus or flac.");

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(folder => Names, System.IO.Path.Combine).FirstOrDefault(File.Exists);
}
