using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>What stands around the matrix products of the flow's transformer (flow.cu). All arguments but numbers are addresses.</summary>
/// <param name="module">The compiled source; disposed with this.</param>
/// <param name="heads">Heads of attention.</param>
/// <param name="attends">Whether <see cref="AttendsIn"/> says that there is an attention kernel.</param>
internal sealed class FlowKernels(CudaModule module, int heads, bool attends) : IDisposable
{
    public const string Source = "flow.cu";

    private const int Threads = 256;
    private const int AttendThreads = 128;
    private const int AttendQueries = 64; // of a block of threads

    private readonly CudaKernel _normalise = module.Kernel("flow_normalise");
    private readonly CudaKernel _addAndNormalise = module.Kernel("flow_add_normalise");
    private readonly CudaKernel? _attend = attends ? module.Kernel("flow_attend") : null;
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

    /// <summary>Whether there is an attention kernel: of heads of 64 numbers in bfloat16.</summary>
    public static bool AttendsIn(int headDim, bool bfloat16) => headDim == 64 && bfloat16;

    public bool CanAttend => _attend is not null;

    /// <summary>Attention over pages.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Blocks of frames of a guidance row, frames of a block, keys that are listed for each.</param>
    /// <param name="qkv">[2 rows frames, 3 dim], of which the queries are read.</param>
    /// <param name="pages">[*, 2 dim].</param>
    /// <param name="keys">[2 rows, keys] rows of the pages.</param>
    /// <param name="seen">[rows] how many of these a block sees.</param>
    /// <param name="y">[2 rows frames, dim].</param>
    public void Attend(nint stream, (int Rows, int Frames, int Keys) shape, nint qkv, nint pages, nint keys, nint seen, nint y) =>
        _attend!.Launch(stream, (heads, 2 * shape.Rows, (shape.Frames + AttendQueries - 1) / AttendQueries), AttendThreads, 0, afterKernel: false,
            qkv, pages, keys, seen, Argument(shape.Rows), Argument(shape.Frames), Argument(shape.Keys), y);

    public void Dispose() => module.Dispose();
}
