namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>MT19937 as torch's CPU generator draws from it, so that tables which a checkpoint leaves to the seed come out bit-equal.</summary>
/// <remarks>Reference: at::mt19937 and uniform_real_distribution&lt;float&gt; (24 bits a number).</remarks>
internal sealed class MersenneTwister
{
    private const int Words = 624;
    private const int Shift = 397;

    private readonly uint[] _state = new uint[Words];
    private int _next = Words;

    public MersenneTwister(uint seed)
    {
        _state[0] = seed;
        for (var i = 1; i < Words; i++)
            _state[i] = 1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30)) + (uint)i;
    }

    /// <summary>Passes over draws.</summary>
    public void Skip(long draws)
    {
        while (draws > 0)
        {
            if (_next == Words)
                Twist();
            var step = (int)Math.Min(draws, Words - _next);
            _next += step;
            draws -= step;
        }
    }

    /// <summary>Fills with uniform numbers of [0, 1), as torch.rand in 32 bits.</summary>
    public void NextSingles(Span<float> values)
    {
        foreach (ref var value in values)
        {
            if (_next == Words)
                Twist();
            var y = _state[_next++];
            y ^= y >> 11;
            y ^= (y << 7) & 0x9d2c5680u;
            y ^= (y << 15) & 0xefc60000u;
            y ^= y >> 18;
            value = (y & 0xffffffu) * (1f / (1 << 24));
        }
    }

    private void Twist()
    {
        var s = _state;
        for (var i = 0; i < Words - Shift; i++)
            s[i] = s[i + Shift] ^ Mix(s[i], s[i + 1]);
        for (var i = Words - Shift; i < Words - 1; i++)
            s[i] = s[i + Shift - Words] ^ Mix(s[i], s[i + 1]);
        s[Words - 1] = s[Shift - 1] ^ Mix(s[Words - 1], s[0]);
        _next = 0;
    }

    private static uint Mix(uint a, uint b) => (((a & 0x80000000u) | (b & 0x7fffffffu)) >> 1) ^ ((b & 1) * 0x9908b0dfu);
}
