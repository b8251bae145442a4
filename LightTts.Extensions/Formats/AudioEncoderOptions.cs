namespace LightTts.Extensions.Formats;

/// <summary>What an <see cref="AudioEncoder"/> writes.</summary>
/// <remarks>Immutable and safe to share.</remarks>
public sealed record AudioEncoderOptions
{
    /// <summary>The format.</summary>
    /// <value>Default <see cref="AudioFormat.Wav"/>.</value>
    public AudioFormat Format { get; init; }

    /// <summary>Samples a second of what is written; other rates than the source's are converted.</summary>
    /// <value>4,000 to 192,000. Default null: the source's rate; for Opus the next rate that it has (8, 12, 16, 24 or 48 kHz).</value>
    public int? SampleRate { get; init; }

    /// <summary>How samples are stored, for WAV and PCM; FLAC takes
    /// <see cref="PcmSampleFormat.Int16"/> and <see cref="PcmSampleFormat.Int24"/>.</summary>
    /// <value>Default <see cref="PcmSampleFormat.Int16"/>.</value>
    public PcmSampleFormat SampleFormat { get; init; }

    /// <summary>Bits a second, for Opus, MP3 and AAC.</summary>
    /// <value>6,000 to 320,000. Default null: 40,000 for Opus, 64,000 for MP3 and AAC.</value>
    public int? BitRate { get; init; }

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    internal void Validate(int sourceRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sourceRate, 1);
        if (!Enum.IsDefined(Format))
            throw new ArgumentOutOfRangeException(nameof(Format), Format, "Not a known format.");
        if (!Enum.IsDefined(SampleFormat))
            throw new ArgumentOutOfRangeException(nameof(SampleFormat), SampleFormat, "Not a known sample format.");
        if (SampleRate is < 4_000 or > 192_000)
            throw new ArgumentOutOfRangeException(nameof(SampleRate), SampleRate, "The sample rate must be from 4,000 to 192,000 Hz.");
        if (BitRate is < 6_000 or > 320_000)
            throw new ArgumentOutOfRangeException(nameof(BitRate), BitRate, "The bit rate must be from 6,000 to 320,000 bits a second.");
        if (Format == AudioFormat.Flac && SampleFormat is not (PcmSampleFormat.Int16 or PcmSampleFormat.Int24))
            throw new ArgumentException("FLAC stores samples of 16 or 24 bits: use Int16 or Int24.", nameof(SampleFormat));
        if (Format == AudioFormat.Opus && SampleRate is not (null or 8_000 or 12_000 or 16_000 or 24_000 or 48_000))
            throw new ArgumentOutOfRangeException(nameof(SampleRate), SampleRate, "Opus has 8,000, 12,000, 16,000, 24,000 and 48,000 Hz.");
    }

    /// <summary>The rate of what is written.</summary>
    internal int OutputRate(int sourceRate) => SampleRate ?? (Format == AudioFormat.Opus ? OpusRate(sourceRate) : sourceRate);

    private static int OpusRate(int rate) =>
        rate switch { <= 8_000 => 8_000, <= 12_000 => 12_000, <= 16_000 => 16_000, <= 24_000 => 24_000, _ => 48_000 };
}
