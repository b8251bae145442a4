namespace LightTts.Extensions.AI;

/// <summary>Writes samples to a stream as 16-bit PCM, as a WAV file or bare, at a volume.</summary>
internal sealed class SpeechEncoder : IDisposable
{
    private readonly Stream _stream;
    private readonly WavWriter? _wav;
    private readonly float _volume;

    public SpeechEncoder(Stream stream, bool isWav, int sampleRate, float volume)
    {
        _stream = stream;
        _volume = volume;
        _wav = isWav ? new WavWriter(stream, sampleRate, leaveOpen: true) : null;
    }

    public void Write(ReadOnlySpan<float> samples)
    {
        if (_volume < 1)
            samples = Scaled(samples);
        if (_wav is not null)
            _wav.Write(samples);
        else
            _stream.Write(Pcm16.Encode(samples));
    }

    public void Dispose() => _wav?.Dispose();

    private float[] Scaled(ReadOnlySpan<float> samples)
    {
        var scaled = new float[samples.Length];
        for (var i = 0; i < samples.Length; i++)
            scaled[i] = samples[i] * _volume;
        return scaled;
    }
}

/// <summary>A stream that hands on what was written to it piece by piece. It cannot seek, so a WAV file's header leaves the length open.</summary>
internal sealed class PieceStream : MemoryStream
{
    public override bool CanSeek => false;

    /// <summary>What was written since the last call.</summary>
    public byte[] Take()
    {
        var piece = ToArray();
        SetLength(0);
        return piece;
    }
}
