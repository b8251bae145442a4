namespace LightTts.Models.CosyVoice.Language;

/// <summary>Cosines and sines of rotary position embedding (Su et al., RoFormer), in the
/// 32-bit arithmetic of the reference; grows with the positions asked for.</summary>
internal sealed class RotaryTable(int headDim, double theta)
{
    private readonly float[] _frequencies = [.. Enumerable.Range(0, headDim / 2).Select(i => 1f / (float)Math.Pow(theta, 2f * i / headDim))];
    private float[] _pairs = [];

    /// <summary>Numbers for one position: a cosine and a sine for each half of a head.</summary>
    public int Stride => headDim;

    /// <summary>Positions that the table holds.</summary>
    public int Positions => _pairs.Length / headDim;

    /// <summary>Row-major [positions, head size / 2, (cos, sin)].</summary>
    public ReadOnlySpan<float> Pairs => _pairs;

    /// <summary>Makes sure that positions below this are there.</summary>
    /// <returns>Whether the table grew.</returns>
    public bool Ensure(int positions)
    {
        var have = Positions;
        if (positions <= have)
            return false;
        var want = Math.Max(positions, Math.Max(1024, 2 * have));
        Array.Resize(ref _pairs, want * headDim);
        for (var position = have; position < want; position++)
        {
            for (var i = 0; i < _frequencies.Length; i++)
            {
                var angle = position * _frequencies[i];
                _pairs[position * headDim + 2 * i] = (float)Math.Cos(angle);
                _pairs[position * headDim + 2 * i + 1] = (float)Math.Sin(angle);
            }
        }

        return true;
    }
}
