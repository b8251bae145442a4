using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>A step of the flow's solver around an evaluation of its transformer (flow_step.cu), for batches of blocks of frames. All arguments but
/// numbers are addresses.</summary>
/// <param name="module">The compiled source.</param>
internal sealed class FlowStepKernels(CudaModule module)
{
    public const string Source = "flow_step.cu";

    /// <summary>Bytes of the record of a solve; zeros: evaluations are of nothing.</summary>
    public const int SolveBytes = 72;

    /// <summary>Numbers of 64 bits that describe a block: its first frame in the pass and in the batch, its frames, the first one's place in the
    /// utterance, keys that it sees, its utterance.</summary>
    public const int BlockWords = 6;

    private const int Threads = 256;
    private const int MaxBlocks = 264; // twice the processors of a large card

    private readonly CudaKernel _load = module.Kernel("flow_load");
    private readonly CudaKernel _begin = module.Kernel("flow_begin_step");
    private readonly CudaKernel _end = module.Kernel("flow_end_step");

    /// <summary>Loads what stays the same in all steps, and begins at one of them.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Blocks and frames of each.</param>
    /// <param name="solve">What differs from pass to pass.</param>
    /// <param name="inputs">What is added and turned.</param>
    /// <param name="outputs">Where the evaluation finds it.</param>
    public void Load(nint stream, (int Rows, int Frames) shape, in Solve solve, in Inputs inputs, in Outputs outputs) =>
        _load.Launch(stream, (shape.Rows * shape.Frames, 1, 1), Threads, 0, afterKernel: false, outputs.Solve, solve.Table, solve.Deltas,
            solve.Places, solve.Blocks, solve.X, BitConverter.DoubleToInt64Bits(solve.Guidance), Argument(solve.IsApart ? 1 : 0),
            Argument(solve.Step), inputs.Condition, inputs.Speakers, inputs.Rotations, Argument(inputs.Limit), outputs.Constant, outputs.Turns,
            outputs.Seen, outputs.Mel, Argument(shape.Frames));

    /// <summary>Before an evaluation: the step's modulation, its places, the mel's frames. What follows may begin beside it, but
    /// lets nothing begin before this has ended: other kernels read modulation before they wait for those before them.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Blocks and frames of each.</param>
    /// <param name="solve">The record.</param>
    /// <param name="modulation">[width].</param>
    /// <param name="width">Its numbers, a multiple of 4.</param>
    /// <param name="places">[rows, columns]; 0: there are none.</param>
    /// <param name="columns">Places of a block.</param>
    /// <param name="mel">[rows frames, bands].</param>
    public void Begin(nint stream, (int Rows, int Frames) shape, nint solve, nint modulation, int width, nint places, int columns, nint mel) =>
        _begin.Launch(stream, (MaxBlocks, 1, 1), Threads, 0, afterKernel: false, solve, modulation, Argument(width), places, Argument(columns), mel,
            Argument(shape.Rows), Argument(shape.Frames));

    /// <summary>Behind it: the step.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Blocks and frames of each.</param>
    /// <param name="solve">The record.</param>
    /// <param name="velocity">[2, rows frames, bands].</param>
    /// <param name="afterKernel">Whether an own kernel goes before.</param>
    public void End(nint stream, (int Rows, int Frames) shape, nint solve, nint velocity, bool afterKernel) =>
        _end.Launch(stream, (Math.Min(MaxBlocks, shape.Rows * shape.Frames), 1, 1), Threads, 0, afterKernel, solve, velocity, Argument(shape.Rows),
            Argument(shape.Frames));

    /// <summary>What differs from pass to pass.</summary>
    /// <param name="Table">[steps, width] modulation.</param>
    /// <param name="Deltas">[steps] differences of times.</param>
    /// <param name="Places">[steps, rows, columns]; 0: there are none.</param>
    /// <param name="Blocks">[rows, <see cref="BlockWords"/>].</param>
    /// <param name="X">The noisy mel, [frames, bands].</param>
    /// <param name="IsApart">Whether it is the batch's only; otherwise it is the pass's.</param>
    /// <param name="Guidance">Strength of the guidance.</param>
    /// <param name="Step">The first step.</param>
    public readonly record struct Solve(nint Table, nint Deltas, nint Places, nint Blocks, nint X, bool IsApart, double Guidance, int Step);

    /// <summary>What stays the same in all steps.</summary>
    /// <param name="Condition">[frames, dim] of the batch.</param>
    /// <param name="Speakers">[utterances, dim], which are added.</param>
    /// <param name="Rotations">[<paramref name="Limit"/>, head dim].</param>
    /// <param name="Limit">Positions that there are.</param>
    public readonly record struct Inputs(nint Condition, nint Speakers, nint Rotations, int Limit);

    /// <summary>Where an evaluation finds it.</summary>
    /// <param name="Solve">The record.</param>
    /// <param name="Constant">[rows frames, dim].</param>
    /// <param name="Turns">[rows frames, head dim].</param>
    /// <param name="Seen">[rows] keys that a block sees.</param>
    /// <param name="Mel">[rows frames, bands].</param>
    public readonly record struct Outputs(nint Solve, nint Constant, nint Turns, nint Seen, nint Mel);
}
