using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>What stands around the matrix products of the flow's transformer (flow.cu). All arguments but numbers are addresses.</summary>
internal sealed class FlowKernels(CudaModule module) : IDisposable
{
    public const string Source = "flow.cu";

    private const int Threads = 256;

    private readonly CudaKernel _normalise = module.Kernel("flow_normalise");
    private readonly CudaKernel _addAndNormalise = module.Kernel("flow_add_normalise");
    private readonly CudaKernel _turn = module.Kernel("flow_turn");

    /// <summary>The sizes that they are compiled for.</summary>
    public static IReadOnlyDictionary<string, int> Definitions(int dim, int headDim, bool bfloat16) =>
        new Dictionary<string, int> { ["DIM"] = dim, ["HEAD_DIM"] = headDim, ["BF16"] = bfloat16 ? 1 : 0 };

    public void Normalise(nint stream, int rows, nint h, nint scale, nint shift, nint y, float epsilon) =>
        _normalise.Launch(stream, (rows, 1, 1), Threads, 0, afterKernel: false, h, scale, shift, y, Argument(epsilon));

    public void AddAndNormalise(nint stream, int rows, nint h, nint branch, nint gate, nint scale, nint shift, nint y, float epsilon) =>
        _addAndNormalise.Launch(stream, (rows, 1, 1), Threads, 0, afterKernel: false, h, branch, gate, scale, shift, y, Argument(epsilon));

    /// <param name="stream">Where.</param>
    /// <param name="frames">Frames of a guidance row.</param>
    /// <param name="qkv">[2 frames, 3 dim].</param>
    /// <param name="turns">[frames, head dim].</param>
    /// <param name="pages">[rows, 2 dim]; 0: keys and values stay where they are.</param>
    /// <param name="places">[2 frames] rows of the pages.</param>
    public void Turn(nint stream, int frames, nint qkv, nint turns, nint pages, nint places) =>
        _turn.Launch(stream, (2 * frames, 1, 1), Threads, 0, afterKernel: false, qkv, turns, Argument(frames), pages, places);

    public void Dispose() => module.Dispose();
}
