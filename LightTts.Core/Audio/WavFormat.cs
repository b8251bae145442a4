namespace LightTts.Audio;

/// <summary>How the samples of a WAV file are stored.</summary>
internal enum WavEncoding
{
    Pcm,
    Float,
}

/// <summary>The part of a WAV header that says how to read the samples, checked: every combination that can be constructed by <see cref="Parse"/> can
/// be decoded.</summary>
/// <param name="Encoding">Integers or floating point.</param>
/// <param name="Channels">1 to <see cref="MaxChannels"/>.</param>
/// <param name="SampleRate">Hz, <see cref="MinSampleRate"/> to <see cref="MaxSampleRate"/>.</param>
/// <param name="BytesPerSample">Bytes of one channel's sample.</param>
internal readonly record struct WavFormat(WavEncoding Encoding, int Channels, int SampleRate, int BytesPerSample)
{
    public const int MaxChannels = 255;
    public const int MinSampleRate = 1_000;
    public const int MaxSampleRate = 384_000;

    private const int FormatPcm = 1;
    private const int FormatFloat = 3;
    private const int FormatExtensible = 0xFFFE;

    // The tail that all the sub-format GUIDs of KSDATAFORMAT_SUBTYPE_* share; the two bytes before it are an ordinary format tag.
    private static ReadOnlySpan<byte> SubFormatTail => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    /// <summary>Bytes of one sample of all channels.</summary>
    public int BlockAlign => Channels * BytesPerSample;

    /// <summary>Reads the payload of a "fmt " chunk.</summary>
    /// <param name="chunk">At least 16 bytes; the extensible format needs 40.</param>
    /// <exception cref="TtsAudioException">The format cannot be read, or contradicts itself.</exception>
    public static WavFormat Parse(ReadOnlySpan<byte> chunk)
    {
        if (chunk.Length < 16)
            throw new TtsAudioException($"The WAV header's format chunk has {chunk.Length} bytes where at least 16 are needed. {WavReader.Cure}");
        int tag = BitConverter.ToUInt16(chunk);
        int channels = BitConverter.ToUInt16(chunk[2..]);
        var sampleRate = BitConverter.ToUInt32(chunk[4..]);
        int blockAlign = BitConverter.ToUInt16(chunk[12..]);
        int bits = BitConverter.ToUInt16(chunk[14..]);

        if (tag == FormatExtensible)
        {
            if (chunk.Length < 40)
                throw new TtsAudioException($"The WAV header says WAVE_FORMAT_EXTENSIBLE but its format chunk has {chunk.Length} bytes where 40 "
                    + $"are needed. {WavReader.Cure}");
            if (!chunk[26..40].SequenceEqual(SubFormatTail))
                throw new TtsAudioException($"The WAV file's samples are in a compressed or vendor-specific format. {WavReader.Cure}");
            tag = BitConverter.ToUInt16(chunk[24..]);
        }

        var encoding = tag switch
        {
            FormatPcm => WavEncoding.Pcm,
            FormatFloat => WavEncoding.Float,
            _ => throw new TtsAudioException($"The WAV file's samples are in format 0x{tag:X4} ({Name(tag)}); only PCM and floating point can be "
                + $"read. {WavReader.Cure}"),
        };
        if (channels is 0 or > MaxChannels)
            throw new TtsAudioException($"The WAV header says {channels} channels; 1 to {MaxChannels} can be read. {WavReader.Cure}");
        if (sampleRate is < MinSampleRate or > MaxSampleRate)
            throw new TtsAudioException($"The WAV header says {sampleRate} Hz; {MinSampleRate} to {MaxSampleRate} Hz can be read. {WavReader.Cure}");
        if (!(encoding is WavEncoding.Pcm ? bits is 8 or 16 or 24 or 32 : bits is 32 or 64))
            throw new TtsAudioException($"The WAV header says {bits} bits a sample; integers of 8, 16, 24 or 32 bits and floating point of 32 or "
                + $"64 bits can be read. {WavReader.Cure}");
        if (blockAlign != channels * (bits / 8))
            throw new TtsAudioException($"The WAV header contradicts itself: block align {blockAlign} with {channels} channels of {bits} bits. "
                + $"{WavReader.Cure}");
        return new WavFormat(encoding, channels, (int)sampleRate, bits / 8);
    }

    private static string Name(int tag) => tag switch
    {
        0x0002 => "Microsoft ADPCM",
        0x0006 => "A-law",
        0x0007 => "mu-law",
        0x0011 => "IMA ADPCM",
        0x0050 => "MPEG",
        0x0055 => "MP3",
        _ => "unknown",
    };
}
