using System.Diagnostics;

namespace LightTts.Tests.EndToEnd;

/// <summary>An independent ear: Debian's pocketsphinx with its US English model.</summary>
internal static class Pocketsphinx
{
    private const string Program = "pocketsphinx_continuous";

    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Program)));

    public static string[] Words(string text) =>
        new string([.. text.ToLowerInvariant().Select(c => c is >= 'a' and <= 'z' or '\'' ? c : ' ')]).Split(' ',
        StringSplitOptions.RemoveEmptyEntries);

    public static async Task<string[]> HearAsync(AudioClip clip)
    {
        var at16k = LightTts.Audio.Resampler.Resample(clip.Samples, clip.SampleRate, 16_000);
        var padded = new float[at16k.Length + 6_400]; // 0.2 s of silence on either side
        at16k.Span.CopyTo(padded.AsSpan(3_200));
        var path = Path.Combine(Path.GetTempPath(), $"lighttts-{Guid.NewGuid():N}.wav");
        new AudioClip(padded, 16_000).SaveWav(path);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Program, ["-infile", path, "-logfn", "/dev/null"]) { RedirectStandardOutput = true,
                RedirectStandardError = true })!;
            var text = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return Words(text);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
