namespace LightTts.Extensions.Formats;

/// <summary>Encodes mono audio piece by piece into a stream; what is complete leaves at once, the whole is never held.</summary>
/// <remarks>
/// Call <see cref="WriteAsync"/> for each piece and <see cref="CompleteAsync"/> at the end; disposing without it leaves the audio cut off.
/// The destination stays open. Not safe for use from several threads at once.
/// </remarks>
/// <example>
/// <code>
/// await using var encoder = AudioEncoder.Create(file, tts.Model.SampleRate, new AudioEncoderOptions { Format = AudioFormat.Opus });
/// await foreach (var chunk in tts.SynthesizeAsync(request))
///     await encoder.WriteAsync(chunk.Samples);
/// await encoder.CompleteAsync();
/// </code>
/// </example>
public abstract class AudioEncoder : IAsyncDisposable
{
    private protected AudioEncoder()
    {
    }

    /// <summary>Starts an encoder.</summary>
    /// <param name="destination">A writable stream.</param>
    /// <param name="sampleRate">Samples a second of the audio that will be handed in.</param>
    /// <param name="options">The format; null for 16-bit WAV at that rate.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or the stream cannot be written to.</exception>
    /// <exception cref="NotSupportedException">The format needs ffmpeg, which is not installed; the message says the cure.</exception>
    public static AudioEncoder Create(Stream destination, int sampleRate, AudioEncoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (!destination.CanWrite)
            throw new ArgumentException("The stream cannot be written to.", nameof(destination));
        options ??= new AudioEncoderOptions();
        options.Validate(sampleRate);
        var rate = options.OutputRate(sampleRate);
        if (options.Format is AudioFormat.Mp3 or AudioFormat.Aac)
            return new FfmpegEncoder(destination, sampleRate, rate, options);
        IAudioCodec codec = options.Format switch
        {
            AudioFormat.Opus => new OggOpusCodec(rate, options.BitRate ?? 40_000),
            AudioFormat.Flac => new FlacCodec(rate, options.SampleFormat == PcmSampleFormat.Int24 ? 24 : 16),
            _ => new PcmCodec(rate, options.SampleFormat, header: options.Format == AudioFormat.Wav),
        };
        return new CodecEncoder(destination, codec, rate == sampleRate ? null : new RateConverter(sampleRate, rate));
    }

    /// <summary>Appends samples and writes what they complete.</summary>
    /// <param name="samples">Mono samples, nominally in [-1, 1]; what lies outside is clipped.</param>
    /// <param name="cancellationToken">Gives up; the audio is then incomplete.</param>
    /// <exception cref="IOException">The destination failed.</exception>
    /// <exception cref="InvalidOperationException">The encoder was completed.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<float> samples, CancellationToken cancellationToken = default);

    /// <summary>Writes what is left and the format's end.</summary>
    /// <param name="cancellationToken">Gives up; the audio is then incomplete.</param>
    /// <inheritdoc cref="WriteAsync" path="/exception"/>
    public abstract ValueTask CompleteAsync(CancellationToken cancellationToken = default);

    /// <summary>Frees the encoder; the destination stays open.</summary>
    public abstract ValueTask DisposeAsync();
}
