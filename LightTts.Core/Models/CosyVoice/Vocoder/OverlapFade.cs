namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>From the samples of one call into those of the next (reference: fade_in_out with a Hamming window).</summary>
/// <remarks>The window's halves add up to 1.08, not to 1; so it is in the reference.</remarks>
internal sealed class OverlapFade
{
    private readonly double[] _window;

    /// <param name="samples">Samples that two calls have in common.</param>
    public OverlapFade(int samples)
    {
        Samples = samples;
        _window = new double[2 * samples];
        for (var i = 0; i < _window.Length; i++)
            _window[i] = 0.54 - 0.46 * Math.Cos(2 * Math.PI * i / (_window.Length - 1));
    }

    public int Samples { get; }

    /// <summary>Fades from what was there before into the beginning of what is there now.</summary>
    public void Apply(ReadOnlySpan<float> before, Span<float> now, float limit)
    {
        for (var i = 0; i < Samples; i++)
            now[i] = Math.Clamp((float)(now[i] * _window[i] + before[i] * _window[Samples + i]), -limit, limit);
    }
}
