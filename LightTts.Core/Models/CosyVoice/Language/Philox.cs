namespace LightTts.Models.CosyVoice.Language;

/// <summary>The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).</summary>
/// <remarks>A pure function of key and counter: a draw depends on nothing that happened
/// before it, so batching, preemption and threads cannot change it.</remarks>
internal static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Four 32-bit words for a 128-bit counter and a 64-bit key; words in the order of the Random123 library.</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Words(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0, product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            unchecked
            {
                k0 += Weyl0;
                k1 += Weyl1;
            }
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>A number in [0, 1) with 53 random bits, keyed by a seed, a position and the number of the draw at that position.</summary>
    public static double Uniform(ulong seed, int position, int draw)
    {
        var (x0, x1, _, _) = Words((uint)position, (uint)draw, 0, 0, (uint)seed, (uint)(seed >> 32));
        var bits = ((ulong)x1 << 32) | x0;
        return (bits >> 11) * (1.0 / (1UL << 53));
    }
}
