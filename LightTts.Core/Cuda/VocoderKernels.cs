using System.Runtime.InteropServices;
using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>The vocoder's convolutions and what lies between them (convolution.cu, vocoder.cu). All arguments but numbers are addresses.</summary>
/// <param name="module">The compiled sources; disposed with this.</param>
/// <param name="parts">Planes of 16 bits that a number lies in, where a convolution reads it.</param>
internal sealed class VocoderKernels(CudaModule module, int parts) : IDisposable
{
    /// <summary>Convolutions of a launch at the most.</summary>
    public const int MostConvolutions = 8;

    /// <summary>Channels lie in multiples of it, zeros behind them.</summary>
    public const int ChannelStep = 32;

    /// <summary>Channels of a block of threads; weights are laid out in such tiles.</summary>
    public const int Tile = 64;

    /// <summary>Columns that a convolution reaches over at the most: a block's then lie in the 99 KB of shared memory that all cards have.</summary>
    public const int MostReach = 64;

    private const int Threads = 128;
    private const int WideThreads = 256;
    private const int Ring = 8;         // pieces of weights in shared memory, planes counted
    private const int ColumnPitch = 40; // halves of a column in shared memory

    // Columns of a block, and how many blocks a launch has to have at least for so many.
    private readonly (CudaKernel Kernel, int Columns, int Blocks)[] _convolve =
    [
        .. parts == 1 ? [(module.Kernel("convolve_256"), 256, 400)] : Array.Empty<(CudaKernel, int, int)>(),
        (module.Kernel("convolve_128"), 128, 200), (module.Kernel("convolve_64"), 64, 0),
    ];

    private readonly CudaKernel _pack = module.Kernel("pack");
    private readonly CudaKernel _mean = module.Kernel("mean");
    private readonly CudaKernel _samples = module.Kernel("samples");

    public static IReadOnlyList<string> Sources { get; } = ["vocoder.cuh", "convolution.cu", "pitch.cu", "vocoder.cu"];

    /// <summary>What they are compiled for.</summary>
    public static IReadOnlyDictionary<string, int> Definitions(int parts) =>
        new Dictionary<string, int> { ["BF16"] = 0, ["PARTS"] = parts, ["JOBS"] = MostConvolutions };

    public int Parts => parts;

    /// <summary>Channels and the zeros behind them.</summary>
    public static int Padded(long channels) => (int)((channels + ChannelStep - 1) / ChannelStep * ChannelStep);

    /// <summary>Computes convolutions that do not depend on each other.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="rows">Of each.</param>
    /// <param name="convolutions">At most <see cref="MostConvolutions"/>; their tiles and blocks are set here. The longest go first.</param>
    /// <param name="afterKernel">Whether a kernel of this kind goes before, not a copy or another operation.</param>
    public void Convolve(nint stream, int rows, ReadOnlySpan<Convolution> convolutions, bool afterKernel = true)
    {
        Span<Convolution> list = stackalloc Convolution[MostConvolutions];
        list.Clear();
        convolutions.CopyTo(list);
        foreach (var (kernel, columns, least) in _convolve)
        {
            var (blocks, span) = (0, 0);
            foreach (ref var each in list[..convolutions.Length])
            {
                each.Tiles = (each.Channels * each.Rate + Tile - 1) / Tile;
                each.Blocks = rows * ((each.Columns + columns - 1) / columns) * each.Tiles;
                blocks += each.Blocks;
                span = Math.Max(span, columns + (each.Taps - 1) * each.Dilation);
            }
            if (blocks < least)
                continue;
            var bytes = sizeof(ushort) * (Ring * Tile * ChannelStep + 2 * parts * span * ColumnPitch);
            // The one argument is a struct of words, which lie side by side as arguments do.
            kernel.Launch(stream, (blocks, 1, 1), Threads, bytes, afterKernel, MemoryMarshal.Cast<Convolution, long>(list));
            return;
        }
    }

    /// <summary>What becomes of a mel's frequency, beside it.</summary>
    public PitchKernels Pitch { get; } = new(module);

    /// <summary>Windows' mels -> y [parts, rows, columns, padded channels] in halves, and the same in 64 bits with channels to the next multiple of
    /// 8. Launched after whatever else.</summary>
    public void Pack(nint stream, (int Rows, int Channels, int Columns) shape, nint windows, nint y, nint wide)
    {
        var inputs = Padded(shape.Channels);
        _pack.Launch(stream, ((shape.Columns + WideThreads - 1) / WideThreads, inputs / 8, shape.Rows), WideThreads, 0, afterKernel: false, windows,
            y, wide, (long)shape.Rows * shape.Columns * inputs, Argument(shape.Channels), Argument(shape.Columns), Argument(inputs));
    }

    /// <summary>The mean of x [arrays, numbers] in 32 bits, leaky -> y [parts, numbers] in halves; numbers: a multiple of 8.</summary>
    public void Mean(nint stream, int arrays, long numbers, float slope, nint x, nint y) =>
        _mean.Launch(stream, ((int)((numbers / 8 + WideThreads - 1) / WideThreads), 1, 1), WideThreads, 0, afterKernel: true, x, Argument(arrays),
            numbers, Argument(slope), y);

    /// <summary>Logarithms of magnitudes and what phases are sines of -> samples.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Rows; frames of x; frames of it in one of the mel; samples of a row.</param>
    /// <param name="transform">Bins, size and hop.</param>
    /// <param name="x">[rows, frames, 32].</param>
    /// <param name="inverse">[hop, 2 * bins, size / hop].</param>
    /// <param name="firstScale">[hop], of a row's first samples.</param>
    /// <param name="windows">A <see cref="VocoderWindow"/> a row.</param>
    /// <param name="y">[rows, samples].</param>
    /// <param name="limit">The largest sample.</param>
    public void Samples(nint stream, (int Rows, int Frames, int Rate, int Samples) shape, (int Bins, int Size, int Hop) transform, nint x,
        nint inverse, nint firstScale, nint windows, nint y, float limit)
    {
        const int block = 128;
        var (groups, width) = (shape.Samples / transform.Hop, 2 * transform.Bins);
        var bytes = sizeof(float) * (width * transform.Size + (block + transform.Size / transform.Hop - 1) * (width | 1));
        _samples.Launch(stream, ((groups + block - 1) / block, shape.Rows, 1), WideThreads, bytes, afterKernel: true, x, inverse, firstScale, windows,
            y, Argument(shape.Frames), Argument(groups), Argument(shape.Rate), Argument(transform.Bins), Argument(transform.Size),
            Argument(transform.Hop), Argument(limit));
    }

    public void Dispose() => module.Dispose();
}
