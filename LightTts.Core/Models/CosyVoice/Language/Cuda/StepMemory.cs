using LightTts.Cuda;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>What a step computes on its way, in one piece of the device's memory.</summary>
internal sealed class StepMemory : IDisposable
{
    private readonly DeviceMemory _memory;

    public StepMemory(TransformerShape shape, int rows, int draws, Device device)
    {
        (Rows, Draws) = (rows, draws);
        var room = ProductKernels.Room(rows);
        long[] sizes =
        [
            4L * room * shape.Hidden, (long)shape.ElementBytes * room * shape.Hidden, 4L * room * (shape.Hidden / 8),
            4L * room * shape.Heads * shape.HeadDim, (long)shape.ElementBytes * room * shape.Heads * shape.HeadDim,
            (long)shape.ElementBytes * room * shape.Inner,
            4L * draws * shape.Logits, rows > ProductKernels.MaxRows ? (long)room * PromptKernels.ProductBytes(shape) : 0,
        ];
        _memory = new DeviceMemory(sizes.Sum(Aligned), device);
        var at = _memory.Address;
        nint Next(int part)
        {
            var start = at;
            at += (nint)Aligned(sizes[part]);
            return start;
        }
        Stream = new ResidualStream(Next(0), Next(1), Next(2));
        (Queries, Attended, Gated, Logits, Product) = (Next(3), Next(4), Next(5), Next(6), Next(7));
    }

    public int Rows { get; }

    public int Draws { get; }

    public ResidualStream Stream { get; }

    /// <summary>[rows, heads * head size] in 32 bits.</summary>
    public nint Queries { get; }

    /// <summary>[rows, heads * head size].</summary>
    public nint Attended { get; }

    /// <summary>[rows, inner].</summary>
    public nint Gated { get; }

    /// <summary>[draws, logits] in 32 bits.</summary>
    public nint Logits { get; }

    /// <summary>[rows] products of many rows that are not finished.</summary>
    public nint Product { get; }

    public bool Holds(in StepLayout layout) => layout.Rows <= Rows && layout.Draws <= Draws;

    public void Dispose() => _memory.Dispose();

    private static long Aligned(long bytes) => (bytes + 255) / 256 * 256;
}
