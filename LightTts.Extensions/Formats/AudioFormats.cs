using System.Diagnostics.CodeAnalysis;

namespace LightTts.Extensions.Formats;

/// <summary>Names and media types of formats, and whether this machine can write them.</summary>
public static class AudioFormats
{
    /// <summary>Finds a format by the name that APIs give it ("wav", "pcm", "opus", "flac", "mp3", "aac") or by its media type.</summary>
    /// <param name="name">The name, in any case.</param>
    /// <param name="format">The format.</param>
    /// <returns>Whether there is one.</returns>
    public static bool TryParse([NotNullWhen(true)] string? name, out AudioFormat format)
    {
        AudioFormat? found = name?.ToLowerInvariant() switch
        {
            "wav" or "audio/wav" or "audio/wave" or "audio/x-wav" or "audio/vnd.wave" => AudioFormat.Wav,
            "pcm" or "audio/l16" or "audio/pcm" => AudioFormat.Pcm,
            "opus" or "ogg" or "audio/ogg" or "audio/opus" => AudioFormat.Opus,
            "flac" or "audio/flac" or "audio/x-flac" => AudioFormat.Flac,
            "mp3" or "audio/mpeg" or "audio/mp3" => AudioFormat.Mp3,
            "aac" or "audio/aac" => AudioFormat.Aac,
            _ => null,
        };
        format = found ?? default;
        return found is not null;
    }

    /// <summary>The media type of a format's bytes.</summary>
    /// <param name="format">The format.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not a known format.</exception>
    public static string MediaType(AudioFormat format) => format switch
    {
        AudioFormat.Wav => "audio/wav",
        AudioFormat.Pcm => "audio/pcm",
        AudioFormat.Opus => "audio/ogg",
        AudioFormat.Flac => "audio/flac",
        AudioFormat.Mp3 => "audio/mpeg",
        AudioFormat.Aac => "audio/aac",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Not a known format."),
    };

    /// <summary>Whether this machine can write a format: all but MP3 and AAC always, these two where ffmpeg is on the path.</summary>
    /// <param name="format">The format.</param>
    public static bool IsAvailable(AudioFormat format) => format is not (AudioFormat.Mp3 or AudioFormat.Aac) || Ffmpeg.Path is not null;
}
