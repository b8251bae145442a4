using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>The vocoder's activation as one kernel (vocoder.cu).</summary>
internal sealed class SnakeKernel(CudaModule module) : IDisposable
{
    public static IReadOnlyList<string> Sources => VocoderKernels.Sources;

    private const int Threads = 256;
    private const int Columns = 4 * Threads; // of a block

    private readonly CudaKernel _snake = module.Kernel("snake");

    public static IReadOnlyDictionary<string, int> Definitions { get; } = VocoderKernels.Definitions(parts: 1);

    /// <summary>x + sin(a x)^2 / a.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Rows, channels and columns.</param>
    /// <param name="x">Columns side by side.</param>
    /// <param name="rowStride">Numbers from one row of it to the next.</param>
    /// <param name="channelStride">Numbers from one channel of it to the next.</param>
    /// <param name="alpha">A number a channel.</param>
    /// <param name="inverse">1 / alpha.</param>
    /// <param name="y">[rows, channels, columns].</param>
    public void Run(nint stream, (int Rows, int Channels, int Columns) shape, nint x, long rowStride, long channelStride, nint alpha, nint inverse,
        nint y) =>
        _snake.Launch(stream, ((shape.Columns + Columns - 1) / Columns, shape.Channels, shape.Rows), Threads, 0, afterKernel: false, x, rowStride,
            channelStride, alpha, inverse, y, Argument(shape.Channels), Argument(shape.Columns));

    public void Dispose() => module.Dispose();
}
