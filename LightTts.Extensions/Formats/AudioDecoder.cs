using System.Diagnostics;
using System.Globalization;

namespace LightTts.Extensions.Formats;

/// <summary>Decodes audio that somebody hands in: WAV by itself, everything else by ffmpeg where it is installed.</summary>
/// <remarks>
/// What is bounded is the decoded length: decoding stops at the limit, however small the
/// upload was. ffmpeg sees one private file, which is gone afterwards, may open
/// nothing else, and only takes containers that hold audio.
/// </remarks>
public static class AudioDecoder
{
    private const string Containers = "aac,aiff,amr,ape,caf,flac,matroska,webm,mov,mp4,m4a,mp3,ogg,w64,wv,au,asf";

    /// <summary>The longest audio that is decoded where no limit is named: enough for any reference audio of a voice (30 s at most).</summary>
    public static TimeSpan DefaultMaxDuration { get; } = TimeSpan.FromSeconds(31);

    /// <summary>Decodes a stream from its position to its end; several channels become one.</summary>
    /// <param name="source">A readable stream; it stays open, its position afterwards is unspecified.</param>
    /// <param name="maxDuration">The longest audio that is decoded. Default null: <see cref="DefaultMaxDuration"/>.</param>
    /// <param name="maxBytes">The most bytes that are read of a source that is not WAV; at least 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The audio, at its own sample rate.</returns>
    /// <exception cref="TtsAudioException">It is not audio, damaged, or too long, or it is
    /// not WAV and ffmpeg is not installed; the message says which, and the cure.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is not above zero.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<AudioClip> DecodeAsync(Stream source, TimeSpan? maxDuration = null, long maxBytes = 64L << 20,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        var limit = maxDuration ?? DefaultMaxDuration;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(maxDuration));

        var head = new byte[12];
        var count = await source.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        var whole = new PrefixedStream(head.AsMemory(0, count), source);
        if (count < head.Length || LooksLikeWav(head))
            return await AudioClip.FromWavAsync(whole, limit, cancellationToken).ConfigureAwait(false);
        if (Ffmpeg.Path is null)
            throw new TtsAudioException("The audio is not a WAV file, and other formats need ffmpeg, which is not installed here. Send WAV, or "
            + "install ffmpeg.");
        return await ConvertAsync(whole, limit, maxBytes, cancellationToken).ConfigureAwait(false);
    }

    private static bool LooksLikeWav(ReadOnlySpan<byte> head) => head.StartsWith("RIFF"u8) || head.StartsWith("RIFX"u8) || head.StartsWith("RF64"u8);

    private static async Task<AudioClip> ConvertAsync(Stream source, TimeSpan limit, long maxBytes, CancellationToken cancellationToken)
    {
        // A file and not a pipe: recordings of telephones (m4a) have their table of contents at the end.
        var path = Path.Combine(Path.GetTempPath(), "lighttts-" + Path.GetRandomFileName());
        try
        {
            await SpoolAsync(source, path, maxBytes, cancellationToken).ConfigureAwait(false);
            var process = Ffmpeg.Start("This audio",
            [
                "-protocol_whitelist", "file", "-format_whitelist", Containers, "-threads", "1", "-i", "file:" + path,
                "-vn", "-sn", "-dn", "-map_metadata", "-1", "-ac", "1", "-t",
                (limit.TotalSeconds + 1).ToString("0.###", CultureInfo.InvariantCulture),
                "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
            ]);
            try
            {
                return await ReadAsync(process, limit, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Ffmpeg.End(process);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<AudioClip> ReadAsync(Process process, TimeSpan limit, CancellationToken cancellationToken)
    {
        process.StandardInput.Close();
        var output = process.StandardOutput.BaseStream;
        var first = new byte[1];
        if (await output.ReadAsync(first, cancellationToken).ConfigureAwait(false) == 0)
            throw new TtsAudioException("The audio cannot be decoded: it is damaged, or not audio. Send WAV, FLAC, Ogg, MP3, M4A or WebM.");
        var whole = new PrefixedStream(first, output);
        return await AudioClip.FromWavAsync(whole, limit, cancellationToken).ConfigureAwait(false);
    }

    private static async Task SpoolAsync(Stream source, string path, long maxBytes, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        await using var closing = file.ConfigureAwait(false);
        var buffer = new byte[64 * 1024];
        long total = 0;
        while (await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var count and > 0)
        {
            if ((total += count) > maxBytes)
                throw new TtsAudioException($"The audio has more than {maxBytes:N0} bytes. Send at most 30 s of it.");
            await file.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        }
    }
}
