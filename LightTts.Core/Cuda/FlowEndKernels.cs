using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Both ends of the flow's transformer (flow_embed.cu, flow_convolve.cu, flow_leave.cu): input projection and positional convolutions, last
/// norm and output. All arguments but numbers are addresses.</summary>
/// <param name="module">The compiled source.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="mel">Bands of the mel.</param>
internal sealed class FlowEndKernels(CudaModule module, int dim, int mel)
{
    public const string Source = "flow_embed.cu";

    /// <summary>The convolutions of many frames.</summary>
    public const string WideSource = "flow_convolve.cu";

    /// <summary>The way out.</summary>
    public const string LeaveSource = "flow_leave.cu";

    /// <summary>Groups of the convolutions.</summary>
    public const int Groups = 16;

    /// <summary>Frames before its own that a convolution sees.</summary>
    public const int Tail = 30;

    /// <summary>Taps of the convolutions' weights, of which the last is zeros.</summary>
    public const int Taps = 32;

    private const int Threads = 256;
    private const int Outputs = 32; // of a block's convolution
    private const int EmbedThreads = 128, LeaveRows = 16, LeaveOutputs = 8;
    private const int Processors = 132; // of a large card
    private const int Enough = 128;     // blocks of a convolution
    private const int WideDim = 1024, WideFrames = 64; // of 4 warps, which have all outputs of a group of channels
    private const int WideTaps = 16;    // whose weights are on their way

    // From many rows to few, and in how many parts the outputs are shared out: each reads and normalises the rows.
    private readonly (CudaKernel Kernel, int Parts)[] _leave = [(module.Kernel("flow_leave_all"), 1),
        (module.Kernel("flow_leave_half"), mel / LeaveOutputs % 2 == 0 ? 2 : 1), (module.Kernel("flow_leave_tile"), mel / LeaveOutputs)];

    private readonly (int Frames, CudaKernel Kernel)[] _embed =
        [.. new[] { 8, 32 }.Select(frames => (frames, module.Kernel($"flow_embed_{frames}")))];
    private readonly Convolution[] _convolve = [.. new[] { 32, 64 }.Select(frames => new Convolution(module, frames, Sets: 0))];
    private readonly Convolution[] _wide = module.HasGroups && dim == WideDim
        ? [.. new[] { 1, 2, 4 }.Select(sets => new Convolution(module, WideFrames, sets))] : [];

    /// <summary>Whether there are kernels for these sizes.</summary>
    public static bool Fits(int dim, int mel) => mel % LeaveOutputs == 0 && mel <= 128 && dim / Groups is 16 or 32 or 64 or 128;

    /// <summary>The mel's projection: h = mel W + constant, and the first convolution's input.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="blocks">The blocks of frames.</param>
    /// <param name="mels">[rows frames, mel] in 32 bits.</param>
    /// <param name="weight">[mel / 4, dim, 4] in 32 bits.</param>
    /// <param name="constant">[2 rows frames, dim] in 32 bits.</param>
    /// <param name="h">The same.</param>
    /// <param name="seen">Where the first convolution sees it.</param>
    public void Embed(nint stream, in Blocks blocks, nint mels, nint weight, nint constant, nint h, nint seen)
    {
        var (grid, kernel) = ((X: 0, Y: 0, Z: 1), _embed[0].Kernel);
        foreach (var choice in _embed) // each block reads its weights, so the larger where there are enough blocks all the same
        {
            var (x, y) = (dim / EmbedThreads, (blocks.Rows * blocks.Frames + choice.Frames - 1) / choice.Frames);
            if (grid.X == 0 || x * y >= Processors)
                (grid, kernel) = ((x, y, 1), choice.Kernel);
        }
        kernel.Launch(stream, grid, EmbedThreads, 0, afterKernel: true, mels, weight, constant, h, seen, Argument(blocks.Stride), blocks.Places,
            Argument(blocks.Columns), Argument(blocks.Rows), Argument(blocks.Frames));
    }

    /// <summary>mish(convolution).</summary>
    /// <param name="stream">Where.</param>
    /// <param name="blocks">The blocks of frames.</param>
    /// <param name="seen">What it sees.</param>
    /// <param name="weight">[dim, <see cref="Taps"/>, dim / groups].</param>
    /// <param name="bias">[dim] in 32 bits.</param>
    /// <param name="next">Where the second convolution sees the result.</param>
    public void Convolve(nint stream, in Blocks blocks, nint seen, nint weight, nint bias, nint next)
    {
        var choice = Choose(blocks);
        choice.First.Launch(stream, Grid(choice, blocks), choice.Threads, SharedBytes(choice), afterKernel: true, seen, Argument(blocks.Stride),
            blocks.Places, Argument(blocks.Columns), Argument(blocks.Rows), Argument(blocks.Frames), weight, bias, next);
    }

    /// <summary>h += mish(convolution), and what the transformer's first product asks for.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="blocks">The blocks of frames.</param>
    /// <param name="seen">What it sees.</param>
    /// <param name="weight">As at <see cref="Convolve"/>.</param>
    /// <param name="bias">[dim] in 32 bits.</param>
    /// <param name="x">The residual stream.</param>
    /// <param name="scale">[dim] of the first norm, in 32 bits.</param>
    public void ConvolveAdd(nint stream, in Blocks blocks, nint seen, nint weight, nint bias, in FlowProductKernels.Stream x, nint scale)
    {
        var choice = Choose(blocks);
        choice.Second.Launch(stream, Grid(choice, blocks), choice.Threads, SharedBytes(choice), afterKernel: true, seen, Argument(blocks.Stride),
            blocks.Places, Argument(blocks.Columns), Argument(blocks.Rows), Argument(blocks.Frames), weight, bias, x.Values, scale, x.Scaled,
            x.Moments);
    }

    /// <summary>The last norm and the product to the velocity: y [rows, mel] in 32 bits.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="h">The residual stream, [rows, dim].</param>
    /// <param name="attended">What it lacks of the last block; nothing: it is whole.</param>
    /// <param name="down">Likewise.</param>
    /// <param name="norm">The last one.</param>
    /// <param name="weight">[2, mel, dim]: in bfloat16, and what that lacks of 32 bits.</param>
    /// <param name="bias">[mel] in 32 bits.</param>
    /// <param name="y">The result.</param>
    public void Leave(nint stream, int rows, nint h, in FlowKernels.Gated attended, in FlowKernels.Gated down, in FlowKernels.Norm norm, nint weight,
        nint bias, nint y)
    {
        var blocks = (rows + LeaveRows - 1) / LeaveRows;
        var (kernel, parts) = Array.Find(_leave, way => way.Parts * blocks >= Processors) is { Kernel: not null } found ? found : _leave[^1];
        var shared = Math.Max(2 * LeaveRows * (dim + 32) * sizeof(ushort), Threads / 32 * LeaveRows * (mel / parts) * sizeof(float));
        kernel.Launch(stream, (parts, blocks, 1), Threads, shared, afterKernel: true, h, attended.Branch, attended.Gate, down.Branch, down.Gate,
            norm.Scale, norm.Shift, weight, bias, y, Argument(rows), Argument(norm.Epsilon));
    }

    private Convolution Choose(in Blocks blocks)
    {
        int Count(Convolution way, in Blocks blocks)
        {
            var (x, y, z) = Grid(way, blocks);
            return x * y * z;
        }
        if (_wide.Length == 0 || Count(_wide[0], blocks) < Enough)
            return _convolve[Count(_convolve[1], blocks) > Processors ? 1 : 0]; // larger tiles where there are enough blocks all the same
        // A processor has one block of them at a time, which takes as long as its products and reading the weights.
        var (chosen, least) = (_wide[0], int.MaxValue);
        foreach (var way in _wide)
        {
            var time = (Count(way, blocks) + Processors - 1) / Processors * (2 * way.Sets + 3);
            if (time < least)
                (chosen, least) = (way, time);
        }
        return chosen;
    }

    private (int X, int Y, int Z) Grid(Convolution way, in Blocks blocks)
    {
        var tiles = (blocks.Frames + way.Frames - 1) / way.Frames;
        return way.Sets == 0 ? (dim / Outputs, tiles, 2 * blocks.Rows)
            : (Groups, (2 * blocks.Rows * tiles + way.Sets - 1) / way.Sets, 1);
    }

    // The frames that are seen, then the sums of each part of the inputs; or weights of a few taps on their way, and the frames.
    private int SharedBytes(Convolution way) => way.Sets == 0
        ? Math.Max((way.Frames + Taps - 1) * (dim / Groups > 64 ? 160 : 96) * sizeof(ushort), Threads * (Outputs + 8) * sizeof(float))
        : ((WideTaps * WideFrames) + (way.Sets * (WideFrames + Taps))) * (WideDim / Groups) * sizeof(ushort);

    /// <summary>Both convolutions in one way to share them out.</summary>
    /// <param name="Frames">Frames of a tile.</param>
    /// <param name="Sets">Tiles of a block, each by 4 warps; 0: of 32 outputs one, by all warps.</param>
    /// <param name="First">mish(convolution).</param>
    /// <param name="Second">What follows it added.</param>
    private sealed record Convolution(int Frames, int Sets, CudaKernel First, CudaKernel Second)
    {
        public Convolution(CudaModule module, int frames, int Sets)
            : this(frames, Sets, module.Kernel($"flow_convolve_{Name(frames, Sets)}"),
                module.Kernel($"flow_convolve_add_{Name(frames, Sets)}"))
        {
        }

        /// <summary>Threads of a block.</summary>
        public int Threads => Sets == 0 ? FlowEndKernels.Threads : 128 * Sets;

        private static string Name(int frames, int sets) => sets == 0 ? $"{frames}" : $"wide_{sets}";
    }

    /// <summary>Where blocks of frames lie that convolutions see.</summary>
    /// <param name="Rows">Blocks of a guidance row.</param>
    /// <param name="Frames">Frames of a block.</param>
    /// <param name="Stride">Numbers from one frame to the next.</param>
    /// <param name="Places">[rows, columns], of which the last is where a block's own page begins, the one before it that of the frames before; 0:
    /// one block after the other.</param>
    /// <param name="Columns">Places of a block.</param>
    public readonly record struct Blocks(int Rows, int Frames, int Stride, nint Places, int Columns);
}
