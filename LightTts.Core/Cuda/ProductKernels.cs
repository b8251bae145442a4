using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>The matrix products of a transformer's layer for few rows, with what stands around them (matrix.cu, matrix_wide.cu).</summary>
/// <remarks>
/// Each reads its weights once for 32 rows: its floor is the weights' bytes at the memory's speed. Rows beyond those that are there, up to the next
/// multiple of 8, 16 or 32, are computed and not written, so that inputs have room for them. The order of sums depends on the
/// number of inputs alone: a row gets the same bits in any company. <see cref="WeightRange"/>: what a kernel to come reads, brought into the
/// second-level cache meanwhile.
/// </remarks>
internal sealed class ProductKernels
{
    /// <summary>Rows beyond which these are not the fastest.</summary>
    public const int MaxRows = 64;

    private static readonly int[] RowChoices = [8, 16, 32];
    private static readonly int[] WideChoices = [32, 64];

    // As in matrix_wide.cu.
    private const int GateWarps = 5;
    private const int SumStride = 72;

    private readonly TransformerShape _shape;
    private readonly Choice[] _choices;
    private readonly WideChoice[] _wide;

    public ProductKernels(CudaModule module, TransformerShape shape)
    {
        _shape = shape;
        _choices = [.. RowChoices.Select(rows => new Choice(rows, rows > 16 ? 2 : 1, module.Kernel($"project_{rows}"),
            module.Kernel($"add_attended_{rows}"), module.Kernel($"add_gated_{rows}"), module.Kernel($"gate_{rows}"),
            module.Kernel($"head_{rows}")))];
        _wide = !shape.IsWide || !module.IsLarge ? [] : [.. WideChoices.Select(rows =>
            new WideChoice(rows, module.Kernel($"gate_wide_{rows}"), module.Kernel($"add_gated_wide_{rows}")))];
    }

    /// <summary>Queries, keys and values with rotary positions: q [rows, heads * head size] in 32 bits; keys and values go into the cache.</summary>
    public void Project(nint stream, int rows, in ResidualStream x, nint weight, nint bias, nint turns, in PagedCache cache, nint queries,
        float epsilon, WeightRange ahead = default)
    {
        var (choice, groups) = For(rows);
        var warps = _shape.HiddenWarps;
        choice.Project.Launch(stream, (_shape.Projected / 16, groups, 1), 32 * warps, SharedBytes(warps, 2, choice.Rows), afterKernel: true,
            x.Normed, x.Squares, weight, bias, turns, cache.Positions, cache.Sequences, cache.Tables, Argument(cache.TableBlocks), queries,
            cache.Keys, cache.Values, Argument(rows), Argument(epsilon), ahead.Address, Argument(ahead.Bytes));
    }

    /// <summary>x += W y, for y [rows, heads * head size]; the norm is that before the next product.</summary>
    public void AddAttended(nint stream, int rows, nint y, nint weight, nint norm, in ResidualStream x, WeightRange ahead = default) =>
        Add(stream, rows, For(rows).Choice.AddAttended, _shape.AttendedWarps, y, weight, norm, x, ahead);

    /// <summary>x += W y, for y [rows, inner].</summary>
    public void AddGated(nint stream, int rows, nint y, nint weight, nint norm, in ResidualStream x, WeightRange ahead = default)
    {
        if (Wide(rows) is not { } wide)
        {
            Add(stream, rows, For(rows).Choice.AddGated, _shape.InnerWarps, y, weight, norm, x, ahead);
            return;
        }
        var warps = _shape.InnerWarps;
        var pieces = (_shape.Inner / TransformerShape.Chunk + warps - 1) / warps;
        var shared = wide.Rows * Math.Max(StagedBytes(pieces), SumStride * sizeof(float));
        wide.AddGated.Launch(stream, (_shape.Hidden / 64 * warps, Groups(rows, wide.Rows), 1), 32 * warps, shared, afterKernel: true,
            y, weight, norm, x.Values, x.Normed, x.Squares, Argument(rows), ahead.Address, Argument(ahead.Bytes));
    }

    /// <summary>silu(gate) * up: y [rows, inner].</summary>
    public void Gate(nint stream, int rows, in ResidualStream x, nint weight, nint y, float epsilon)
    {
        if (Wide(rows) is { } wide)
        {
            var staged = wide.Rows * Math.Max(StagedBytes(_shape.Hidden / TransformerShape.Chunk), GateWarps * 16 * sizeof(float));
            wide.Gate.Launch(stream, (Groups(_shape.Inner / 8, GateWarps), Groups(rows, wide.Rows), 1), 64 * GateWarps, staged,
                afterKernel: true, x.Normed, x.Squares, weight, y, Argument(rows), Argument(epsilon));
            return;
        }
        var (choice, groups) = For(rows);
        var warps = _shape.HiddenWarps;
        var (blocks, tiles) = (Groups(_shape.Inner / 8, choice.Pairs), 2 * choice.Pairs);
        // In bfloat16 each lane has its weights there, too.
        var weights = _shape.BFloat16 ? 32 * warps * tiles * Groups(_shape.Hidden / TransformerShape.Chunk, warps) * 16 : 0;
        var shared = SharedBytes(warps, tiles, choice.Rows) + weights;
        choice.Gate.Launch(stream, (blocks, groups, 1), 32 * warps, shared, afterKernel: true, x.Normed, x.Squares, weight, y, Argument(rows),
            Argument(epsilon));
    }

    /// <summary>Logits [rows, logits] in 32 bits.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="rows">How many.</param>
    /// <param name="map">[rows] which of the stream's rows; null: the first ones.</param>
    /// <param name="x">The stream.</param>
    /// <param name="weight">[logits, hidden].</param>
    /// <param name="bias">[logits], or null.</param>
    /// <param name="logits">The result.</param>
    /// <param name="epsilon">Of the norm.</param>
    public void Head(nint stream, int rows, nint map, in ResidualStream x, nint weight, nint bias, nint logits, float epsilon)
    {
        var (choice, groups) = For(rows);
        var warps = _shape.HiddenWarps;
        var tiles = 2 * choice.Pairs;
        choice.Head.Launch(stream, (Groups(_shape.Logits, 8 * tiles), groups, 1), 32 * warps, SharedBytes(warps, tiles, choice.Rows),
            afterKernel: true, x.Normed, x.Squares, map, weight, bias, logits, Argument(rows), Argument(epsilon));
    }

    /// <summary>Rows that buffers need room for, so that all that is computed lies in them.</summary>
    public static int Room(int rows) => (rows + MaxRows - 1) / MaxRows * MaxRows;

    private static int SharedBytes(int warps, int tiles, int rows) => warps * tiles * rows * 8 * sizeof(float);

    private void Add(nint stream, int rows, CudaKernel kernel, int warps, nint y, nint weight, nint norm, in ResidualStream x,
        WeightRange ahead)
    {
        var (choice, groups) = For(rows);
        kernel.Launch(stream, (_shape.Hidden / 8, groups, 1), 32 * warps, SharedBytes(warps, 1, choice.Rows), afterKernel: true,
            y, weight, norm, x.Values, x.Normed, x.Squares, Argument(rows), ahead.Address, Argument(ahead.Bytes));
    }

    private static int Groups(int rows, int each) => (rows + each - 1) / each;

    /// <summary>Bytes of a row in shared memory, whose stride is an odd number of pieces of its inputs.</summary>
    private static int StagedBytes(int pieces) => (pieces | 1) * TransformerShape.Chunk * sizeof(short);

    private WideChoice? Wide(int rows)
    {
        if (rows <= RowChoices[1] || _wide.Length == 0)
            return null;
        foreach (var choice in _wide)
            if (choice.Rows >= rows)
                return choice;
        return _wide[^1];
    }

    private (Choice Choice, int Groups) For(int rows)
    {
        foreach (var choice in _choices)
            if (choice.Rows >= rows)
                return (choice, 1);
        return (_choices[^1], Groups(rows, _choices[^1].Rows));
    }

    /// <summary>The kernels for a number of rows of a block.</summary>
    private sealed record Choice(int Rows, int Pairs, CudaKernel Project, CudaKernel AddAttended, CudaKernel AddGated,
        CudaKernel Gate, CudaKernel Head);

    /// <summary>Those of the feed-forward layer for a number of rows of a block, where cards and sizes have them.</summary>
    private sealed record WideChoice(int Rows, CudaKernel Gate, CudaKernel AddGated);
}
