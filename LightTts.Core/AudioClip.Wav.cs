using LightTts.Audio;

namespace LightTts;

public sealed partial class AudioClip
{
    /// <summary>Reads WAV audio from a stream's position; several channels are averaged.</summary>
    /// <param name="stream">A readable stream; it stays open, its position afterwards is unspecified.</param>
    /// <param name="maxDuration">The longest audio that is read; above zero. Default null: 31 s, enough for any reference audio of a voice (30 s at
    /// most).</param>
    /// <returns>The clip, at the file's own sample rate.</returns>
    /// <remarks>
    /// Reads integers of 8, 16, 24 and 32 bits and floating point of 32 and 64 bits, 1 to 255 channels, 1 to 384 kHz. A file that is longer than
    /// <paramref name="maxDuration"/> is refused as soon as that is known, mostly from its header.
    /// </remarks>
    /// <exception cref="TtsAudioException">Not a WAV file, damaged, in another format, without samples, with samples that are not finite, or too
    /// long; the message says which, and the cure.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxDuration"/> is not above zero.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    public static AudioClip FromWav(Stream stream, TimeSpan? maxDuration = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return WavReader.Read(stream, Limit(maxDuration));
    }

    /// <summary>Reads WAV audio from a stream's position without blocking; several channels are averaged.</summary>
    /// <param name="stream">A readable stream (a request's body, say); it stays open, its position afterwards is unspecified.</param>
    /// <param name="maxDuration">The longest audio that is read; above zero. Default null: 31 s.</param>
    /// <param name="cancellationToken">Gives up reading.</param>
    /// <returns>The clip, at the file's own sample rate.</returns>
    /// <remarks>See <see cref="FromWav(Stream, TimeSpan?)"/> for what can be read.</remarks>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why, and the cure.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxDuration"/> is not above zero.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<AudioClip> FromWavAsync(Stream stream, TimeSpan? maxDuration = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return await WavReader.ReadAsync(stream, Limit(maxDuration), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a WAV file; several channels are averaged.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxDuration">The longest audio that is read; above zero. Default null: 31 s.</param>
    /// <returns>The clip, at the file's own sample rate.</returns>
    /// <remarks>See <see cref="FromWav(Stream, TimeSpan?)"/> for what can be read.</remarks>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why, and the cure.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxDuration"/> is not above zero.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static AudioClip FromWavFile(string path, TimeSpan? maxDuration = null)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        return FromWav(file, maxDuration);
    }

    /// <summary>Reads a WAV file without blocking; several channels are averaged.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxDuration">The longest audio that is read; above zero. Default null: 31 s.</param>
    /// <param name="cancellationToken">Gives up reading.</param>
    /// <returns>The clip, at the file's own sample rate.</returns>
    /// <remarks>See <see cref="FromWav(Stream, TimeSpan?)"/> for what can be read.</remarks>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why, and the cure.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxDuration"/> is not above zero.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<AudioClip> FromWavFileAsync(string path, TimeSpan? maxDuration = null, CancellationToken cancellationToken = default)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, useAsync: true);
        await using (file.ConfigureAwait(false))
            return await FromWavAsync(file, maxDuration, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the clip as a WAV file into a stream, which stays open.</summary>
    /// <param name="stream">A writable stream.</param>
    /// <param name="format">How samples are stored.</param>
    /// <exception cref="ArgumentException"><paramref name="stream"/> cannot be written to.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    public void WriteWav(Stream stream, WavSampleFormat format = WavSampleFormat.Pcm16)
    {
        using var writer = new WavWriter(stream, SampleRate, format, leaveOpen: true);
        writer.Write(Samples.Span);
    }

    /// <summary>Writes the clip as a WAV file; an existing one is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">How samples are stored.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveWav(string path, WavSampleFormat format = WavSampleFormat.Pcm16)
    {
        using var writer = new WavWriter(File.Create(path), SampleRate, format);
        writer.Write(Samples.Span);
    }

    /// <summary>The clip as a WAV file in memory.</summary>
    /// <param name="format">How samples are stored.</param>
    /// <returns>The file's bytes.</returns>
    public byte[] ToWav(WavSampleFormat format = WavSampleFormat.Pcm16)
    {
        var stream = new MemoryStream(64 + Samples.Length * (format is WavSampleFormat.Float32 ? sizeof(float) : sizeof(short)));
        WriteWav(stream, format);
        return stream.ToArray();
    }

    /// <summary>The samples alone as 16-bit PCM, little-endian, without a WAV file's header.</summary>
    /// <returns>Two bytes for each sample; see <see cref="Pcm16"/>.</returns>
    public byte[] ToPcm16() => Pcm16.Encode(Samples.Span);

    private static TimeSpan Limit(TimeSpan? maxDuration)
    {
        var limit = maxDuration ?? WavReader.DefaultMaxDuration;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(maxDuration));
        return limit;
    }
}
