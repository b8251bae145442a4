using System.Buffers;
using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>A weight matrix in 8-bit numbers, each output with a scale of its own, and its product with rows that are brought to 8 bits in
/// passing, each with a scale of its own: a quarter of the memory, which is what one row's product waits for.</summary>
/// <remarks>
/// Both are symmetric (-127 to 127, zero is zero) and rounded to the nearest. The sums are whole numbers and exact, so that a row's result is
/// the same bits alone and in any batch, by every <see cref="Int8Path"/>.
/// </remarks>
internal sealed unsafe class QuantizedMatrix : IDisposable
{
    /// <summary>Outputs that are stored together.</summary>
    public const int Panel = PackedMatrix.Panel;

    private const int Largest = 127;

    // What is left of a number is half a unit at the most.
    private const int RestScale = 2 * Largest;

    // As in PackedMatrix, but for a row alone: its product waits for the memory, of which two processors get more than one.
    private const long ParallelWork = 12_000_000;
    private const long ParallelBytes = 3_000_000;
    private const int PanelsTogether = 16;
    private const int RowsTogether = 192;
    private const int RowsToQuantize = 16; // that a thread does alone

    private readonly IDisposable _weights; // where the numbers lie
    private readonly NativeBuffer _scales;
    private readonly NativeBuffer? _bias;
    private readonly int _panels;
    private readonly int _groups;
    private readonly Int8Path _path;

    /// <summary>Brings a matrix to 8 bits.</summary>
    /// <param name="weights">Row-major [outputs, inputs], finite.</param>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="inputs">Its columns.</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="path">How to multiply; null: the fastest way here.</param>
    public QuantizedMatrix(float* weights, int outputs, int inputs, float* bias, Int8Path? path = null)
        : this(outputs, inputs, bias is not null, path)
    {
        Parallel.For(0, _panels, panel =>
        {
            int first = panel * Panel, rows = Math.Min(Panel, outputs - first);
            var to = Numbers + (long)first * _groups * 4;
            for (var row = 0; row < rows; row++)
            {
                var from = weights + (long)(first + row) * inputs;
                var (scale, inverse) = Scale(from, inputs);
                _scales.Start[first + row] = scale;
                for (var k = 0; k < inputs; k++)
                    to[((long)(k / 4) * Panel + row) * 4 + k % 4] = (sbyte)MathF.Round(from[k] * inverse);
            }
        });
        if (bias is not null)
            new ReadOnlySpan<float>(bias, outputs).CopyTo(new Span<float>(Bias, outputs));
    }

    /// <summary>Makes room for a matrix of zeros, for one that was brought to 8 bits before.</summary>
    public QuantizedMatrix(int outputs, int inputs, bool hasBias, Int8Path? path = null)
        : this(outputs, inputs, hasBias, null, null, path)
    {
    }

    /// <summary>Takes numbers that lie ready in memory that somebody else keeps.</summary>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="inputs">Its columns.</param>
    /// <param name="hasBias">Whether there is room for a bias.</param>
    /// <param name="numbers">As in <see cref="Shape"/>, none of them -128; null: zeros of its own.</param>
    /// <param name="keeper">Disposed with the matrix.</param>
    /// <param name="path">How to multiply; null: the fastest way here.</param>
    public QuantizedMatrix(int outputs, int inputs, bool hasBias, sbyte* numbers, IDisposable? keeper, Int8Path? path = null)
    {
        (Outputs, Inputs, _path) = (outputs, inputs, path ?? Int8Paths.Best);
        _panels = (outputs + Panel - 1) / Panel;
        _groups = (inputs + 3) / 4;
        if (numbers is null)
        {
            var own = new NativeBuffer((long)_panels * Panel * _groups); // four numbers in the room of a float
            _weights = own;
            Numbers = (sbyte*)own.Start;
        }
        else
        {
            _weights = keeper!;
            Numbers = numbers;
        }
        _scales = new NativeBuffer(_panels * Panel);
        _bias = hasBias ? new NativeBuffer(_panels * Panel) : null;
    }

    /// <summary>Whether rows are brought to 16 bits, as two rows of 8: what the first leaves goes into the second. The weights come by
    /// once.</summary>
    public bool HasFineRows { get; set; }

    /// <summary>How the numbers lie: [panels, groups of inputs, 16 outputs, 4 inputs].</summary>
    public long[] Shape => ShapeOf(Outputs, Inputs);

    /// <inheritdoc cref="Shape"/>
    public static long[] ShapeOf(int outputs, int inputs) => [(outputs + Panel - 1) / Panel, (inputs + 3) / 4, Panel, 4];

    /// <summary>The numbers, none of them -128.</summary>
    public sbyte* Numbers { get; }

    /// <summary>A scale for each output, outputs rounded up to 16.</summary>
    public float* Scales => _scales.Start;

    /// <summary>Likewise the bias; null where there is none.</summary>
    public float* Bias => _bias is null ? null : _bias.Start;

    public int Inputs { get; }

    public int Outputs { get; }

    /// <inheritdoc cref="PackedMatrix.Multiply"/>
    public void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1)
    {
        var (stride, parts) = (_groups * 4, HasFineRows ? 2 : 1);
        var numbers = ArrayPool<sbyte>.Shared.Rent(checked(parts * rows * stride));
        var scales = ArrayPool<float>.Shared.Rent(parts * rows);
        var totals = ArrayPool<int>.Shared.Rent(parts * rows);
        fixed (sbyte* q = numbers)
        fixed (float* s = scales)
        fixed (int* t = totals)
        {
            var work = new Work(q, s, t, stride, y, yStride, accumulate, parts);
            var pieces = (_panels + PanelsTogether - 1) / PanelsTogether;
            var isShared = threads != 1 && ((long)rows * Outputs * Inputs >= ParallelWork || (long)Outputs * Inputs >= ParallelBytes);
            if (isShared && rows > RowsToQuantize)
                QuantizeInParallel(x, xStride, rows, work, threads);
            else
                Quantize(x, xStride, 0, rows, work);
            if (isShared)
                MultiplyInParallel(pieces, work, parts * rows, threads);
            else
                for (var piece = 0; piece < pieces; piece++)
                    Piece(piece, work, 0, parts * rows);
        }
        ArrayPool<sbyte>.Shared.Return(numbers);
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<int>.Shared.Return(totals);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _scales.Dispose();
        _bias?.Dispose();
    }

    /// <summary>Brings a row to 8 bits; what is not a number becomes one that shows in the result.</summary>
    /// <returns>What one unit is worth.</returns>
    internal static float Quantize(float* from, int count, sbyte* to, int padded, out int total)
    {
        var (scale, inverse) = Scale(from, count);
        var totals = Vector256<int>.Zero;
        var k = 0;
        for (; k + 8 <= count; k += 8)
        {
            // To even at halves, as MathF.Round does it.
            var whole = Vector256.ConvertToInt32(Vector256.Round(Vector256.Load(from + k) * inverse));
            totals += whole;
            var narrow = Vector128.Narrow(whole.GetLower(), whole.GetUpper());
            *(long*)(to + k) = Vector128.Narrow(narrow, narrow).AsInt64().ToScalar();
        }
        total = Vector256.Sum(totals);
        for (; k < count; k++)
            total += to[k] = (sbyte)MathF.Round(from[k] * inverse);
        for (; k < padded; k++)
            to[k] = 0;
        return scale;
    }

    /// <summary>Brings what a row's 8-bit numbers leave of it to 8 bits.</summary>
    /// <returns>What one unit is worth.</returns>
    private static float QuantizeRest(float* from, int count, float scale, sbyte* to, int padded, out int total)
    {
        var isNumber = scale > 0 && float.IsFinite(scale);
        var (inverse, fine) = isNumber ? (1 / scale, RestScale / scale) : (0, 0);
        var totals = Vector256<int>.Zero;
        var k = 0;
        for (; k + 8 <= count; k += 8)
        {
            var value = Vector256.Load(from + k);
            var rest = Vector256.FusedMultiplyAdd(Vector256.Round(value * inverse), Vector256.Create(-scale), value);
            var whole = Vector256.ConvertToInt32(Vector256.Round(rest * fine));
            whole = Vector256.Min(Vector256.Max(whole, Vector256.Create(-Largest)), Vector256.Create(Largest));
            totals += whole;
            var narrow = Vector128.Narrow(whole.GetLower(), whole.GetUpper());
            *(long*)(to + k) = Vector128.Narrow(narrow, narrow).AsInt64().ToScalar();
        }
        total = Vector256.Sum(totals);
        for (; k < count; k++)
            total += to[k] = (sbyte)Math.Clamp(MathF.Round((from[k] - MathF.Round(from[k] * inverse) * scale) * fine), -Largest, Largest);
        for (; k < padded; k++)
            to[k] = 0;
        return scale / RestScale;
    }

    private static (float Scale, float Inverse) Scale(float* from, int count)
    {
        var largest = 0f;
        var wide = Vector256<float>.Zero;
        var k = 0;
        for (; k + 8 <= count; k += 8)
            wide = Vector256.Max(wide, Vector256.Abs(Vector256.Load(from + k))); // NaN stays
        for (var lane = 0; lane < 8; lane++)
            largest = MathF.Max(largest, wide[lane]);
        for (; k < count; k++)
            largest = MathF.Max(largest, MathF.Abs(from[k]));
        return largest > 0 && float.IsFinite(largest) ? (largest / Largest, Largest / largest) : (largest, 0);
    }

    private void Quantize(float* x, int xStride, int first, int end, in Work work)
    {
        for (var row = first; row < end; row++)
        {
            var from = x + (long)row * xStride;
            var at = work.Parts * row;
            var to = work.X + (long)at * work.XStride;
            work.Scales[at] = Quantize(from, Inputs, to, work.XStride, out work.Totals[at]);
            if (work.Parts == 2)
                work.Scales[at + 1] = QuantizeRest(from, Inputs, work.Scales[at], to + work.XStride, work.XStride, out work.Totals[at + 1]);
        }
    }

    private void QuantizeInParallel(float* x, int xStride, int rows, Work work, int threads) =>
        Parallel.For(0, (rows + RowsToQuantize - 1) / RowsToQuantize, new ParallelOptions { MaxDegreeOfParallelism = threads }, part =>
            Quantize(x, xStride, part * RowsToQuantize, Math.Min(rows, (part + 1) * RowsToQuantize), work));

    private void MultiplyInParallel(int pieces, Work work, int rows, int threads) =>
        Parallel.For(0, pieces * ((rows + RowsTogether - 1) / RowsTogether), new ParallelOptions { MaxDegreeOfParallelism = threads }, part =>
        {
            var first = part / pieces * RowsTogether;
            Piece(part % pieces, work, first, Math.Min(RowsTogether, rows - first));
        });

    private void Piece(int piece, in Work work, int firstRow, int rows)
    {
        var sums = stackalloc int[Int8Kernel.MostSums];
        int first = piece * PanelsTogether, last = Math.Min(first + PanelsTogether, _panels);
        int mostRows = Int8Paths.Rows(_path), mostPanels = Int8Paths.Panels(_path, rows);
        for (int panel = first, panels; panel < last; panel += panels)
        {
            panels = Math.Min(mostPanels, last - panel);
            var w = Numbers + (long)panel * Panel * _groups * 4;
            for (int row = 0, together; row < rows; row += together)
            {
                // As equal parts as can be: few rows alone would leave the processor waiting for each sum.
                var parts = (rows - row + mostRows - 1) / mostRows;
                together = (rows - row + parts - 1) / parts;
                Int8Kernel.Multiply(_path, w, panels, work.X + (long)(firstRow + row) * work.XStride, work.XStride, work.Totals + firstRow + row,
                    together, _groups, sums);
                for (var i = 0; i < together; i++)
                {
                    var at = firstRow + row + i;
                    for (var j = 0; j < panels; j++)
                        Store(sums + (i * panels + j) * Panel, panel + j, work.Scales[at],
                            work.Y + (long)(at / work.Parts) * work.YStride + (panel + j) * Panel, work.Accumulate || at % work.Parts > 0);
                }
            }
        }
    }

    private void Store(int* sums, int panel, float unit, float* y, bool accumulate)
    {
        var scale = Vector512.Load(_scales.Start + panel * Panel) * unit;
        var value = Vector512.ConvertToSingle(Vector512.Load(sums)) * scale;
        if (accumulate)
            value += Vector512.Load(y);
        else if (_bias is not null)
            value += Vector512.Load(_bias.Start + panel * Panel);
        value.Store(y);
    }

    /// <summary>What a product is of.</summary>
    private readonly struct Work(sbyte* x, float* scales, int* totals, int xStride, float* y, int yStride, bool accumulate, int parts)
    {
        public sbyte* X => x;

        public float* Scales => scales;

        public int* Totals => totals;

        public int XStride => xStride;

        public float* Y => y;

        public int YStride => yStride;

        public bool Accumulate => accumulate;

        /// <summary>Rows of x that make one of y.</summary>
        public int Parts => parts;
    }
}
