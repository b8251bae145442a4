namespace LightTts.Cuda;

/// <summary>The sizes that a transformer's kernels are compiled for.</summary>
/// <param name="Hidden">Numbers of the residual stream.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads.</param>
/// <param name="HeadDim">Numbers of a head.</param>
/// <param name="Inner">Numbers inside of the feed-forward layer.</param>
/// <param name="Logits">Outputs of the head.</param>
/// <param name="Page">Positions in a block of the KV cache.</param>
/// <param name="BFloat16">Whether weights and KV cache are bfloat16; otherwise 32-bit floats.</param>
internal sealed record TransformerShape(int Hidden, int Heads, int KvHeads, int HeadDim, int Inner, int Logits, int Page, bool BFloat16)
{
    /// <summary>Inputs that the products take at a time.</summary>
    public const int Chunk = 32;

    // What a draw keeps in shared memory, twice, of the 99 KB that every card has.
    private const int MaxLogits = 11_000;

    /// <summary>Outputs of the projection to queries, keys and values.</summary>
    public int Projected => (Heads + 2 * KvHeads) * HeadDim;

    /// <summary>Query heads that share a key head.</summary>
    public int Group => Heads / KvHeads;

    /// <summary>Bytes of a weight.</summary>
    public int ElementBytes => BFloat16 ? 2 : 4;

    /// <summary>Warps of a block that share a product's inputs; likewise the two that follow.</summary>
    public int HiddenWarps => Warps(Hidden, 8);

    public int AttendedWarps => Warps(Heads * HeadDim, 8);

    public int InnerWarps => Warps(Inner, 8);

    /// <summary>Whether matrix_wide.cu's products are for these sizes: clusters of 8 blocks with 8 of 64 outputs each, 64 rows in shared memory,
    /// a part of the inputs in registers.</summary>
    public bool IsWide => BFloat16 && Hidden % 64 == 0 && Hidden <= 1536 && InnerWarps == 8 && Inner <= 5120;

    /// <summary>Why there are no kernels for these sizes; null where there are.</summary>
    public string? Fault =>
        Hidden % Chunk != 0 || Hidden > 2048 ? $"the hidden size {Hidden} is no multiple of {Chunk} up to 2048"
        : Inner % Chunk != 0 ? $"the feed-forward layer's {Inner} numbers are no multiple of {Chunk}"
        : HeadDim is not (16 or 32 or 64 or 128) ? $"heads have {HeadDim} numbers, not 16, 32, 64 or 128"
        : Heads * HeadDim % Chunk != 0 || Projected % 16 != 0 ? $"{Heads} heads of {HeadDim} numbers are no multiple of {Chunk}"
        : Heads % KvHeads != 0 || Group > 8 ? $"{Heads} query heads do not share {KvHeads} key heads, at most 8 each"
        : Logits > MaxLogits ? $"{Logits} logits are more than {MaxLogits}"
        : null;

    public IReadOnlyDictionary<string, int> Definitions => new Dictionary<string, int>
    {
        ["HIDDEN"] = Hidden, ["HEADS"] = Heads, ["KV_HEADS"] = KvHeads, ["HEAD_DIM"] = HeadDim, ["INNER"] = Inner, ["LOGITS"] = Logits,
        ["PAGE"] = Page, ["BF16"] = BFloat16 ? 1 : 0,
        ["WARPS_HIDDEN"] = HiddenWarps, ["WARPS_ATTENDED"] = AttendedWarps, ["WARPS_INNER"] = InnerWarps,
        ["IS_WIDE"] = IsWide ? 1 : 0,
    };

    /// <summary>Those that leave the fewest idle in their last turn, rather more of them.</summary>
    /// <remarks>Of the inputs alone, as the order of the sums follows from it.</remarks>
    private static int Warps(int inputs, int most)
    {
        var pieces = inputs / Chunk;
        var best = 1;
        var leastIdle = double.MaxValue;
        for (var warps = Math.Min(most, pieces); warps >= Math.Min(4, pieces); warps--)
        {
            var idle = (double)((pieces + warps - 1) / warps * warps) / pieces;
            if (idle < leastIdle)
                (best, leastIdle) = (warps, idle);
        }
        return best;
    }
}
