namespace LightTts.Cuda;

/// <summary>The sizes that the flow's kernels are compiled for.</summary>
/// <param name="Dim">Width of the transformer: its heads' numbers.</param>
/// <param name="Heads">Heads of attention.</param>
/// <param name="Hidden">Width of its feed-forward part.</param>
/// <param name="MelBands">Bands of the mel.</param>
/// <param name="PageFrames">Frames of a page of keys and values.</param>
/// <param name="BFloat16">Whether the products are in bfloat16; otherwise in 32 bits.</param>
internal sealed record FlowKernelShape(int Dim, int Heads, int Hidden, int MelBands, int PageFrames, bool BFloat16)
{
    /// <summary>Whether there are kernels for the tensor cores: for heads of 64 numbers in bfloat16.</summary>
    public bool HasTensorCores => BFloat16 && Dim / Heads == 64;

    public IReadOnlyDictionary<string, int> Definitions => new Dictionary<string, int>
    {
        ["DIM"] = Dim, ["HEAD_DIM"] = Dim / Heads, ["HIDDEN"] = Hidden, ["MEL"] = MelBands, ["FRAMES"] = PageFrames, ["BF16"] = BFloat16 ? 1 : 0,
    };
}
