namespace LightTts.Cpu;

/// <summary>A weight matrix in the order in which the processor reads it, and its product with a few rows.</summary>
/// <remarks>
/// <para>Stored in panels of 16 outputs, input after input. Every output is one chain of
/// fused multiply-adds over the inputs, first to last, whatever the number of
/// rows and the width of the vectors: a row's result is the same bits alone and in any
/// batch, in a prompt and in decoding, with AVX2 and with AVX-512. Library
/// products choose their order of summation by the number of rows.</para>
/// <para>With few rows the time goes into reading the weights once; the panels make that one forward stream.</para>
/// </remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Outputs that are stored together.</summary>
    public const int Panel = 16;

    // Products with fewer multiplications than this run on the calling thread alone: handing out work costs some microseconds.
    private const long ParallelWork = 6_000_000;

    // Panels of one piece of work: their weights stay in the second-level cache while all rows pass.
    private const int PanelsTogether = 8;

    // Rows of one piece: enough to make up for reading the weights, few enough to share many rows among many processors.
    private const int RowsTogether = 192;

    private readonly NativeBuffer _weights;
    private readonly NativeBuffer? _bias;
    private readonly int _panels;
    private readonly PanelFormat _format;

    /// <summary>Packs a matrix.</summary>
    /// <param name="weights">Row-major [outputs, inputs].</param>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="inputs">Its columns.</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="format">How the weights are kept.</param>
    public PackedMatrix(float* weights, int outputs, int inputs, float* bias, PanelFormat format = PanelFormat.Float32)
    {
        _format = format;
        Outputs = outputs;
        Inputs = inputs;
        _panels = (outputs + Panel - 1) / Panel;
        _weights = new NativeBuffer((long)_panels * Panel * inputs / (format == PanelFormat.Float32 ? 1 : 2));
        Parallel.For(0, _panels, panel =>
        {
            // Written front to back, from sixteen rows that are each read front to back: gigabytes pass here when a large model is loaded.
            int first = panel * Panel, rows = Math.Min(Panel, outputs - first);
            float* from = weights + (long)first * inputs, to = _weights.Start + (long)first * inputs;
            var halves = (ushort*)_weights.Start + (long)first * inputs;
            for (var k = 0; k < inputs; k++, to += Panel, halves += Panel)
                for (var row = 0; row < rows; row++)
                    if (format == PanelFormat.Float32)
                        to[row] = from[(long)row * inputs + k];
                    else
                        halves[row] = format == PanelFormat.BFloat16 ? HalfNumbers.Round(from[(long)row * inputs + k])
                            : Half16Numbers.Round(from[(long)row * inputs + k]);
        });

        if (bias is null)
            return;
        _bias = new NativeBuffer(_panels * Panel);
        new ReadOnlySpan<float>(bias, outputs).CopyTo(new Span<float>(_bias.Start, outputs));
    }

    public int Inputs { get; }

    public int Outputs { get; }

    /// <summary><paramref name="y"/> = x W^T + bias, or, accumulating, += x W^T.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="xStride">Floats from one row of x to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="y">[rows, outputs], with room for the outputs rounded up to 16 in every row.</param>
    /// <param name="yStride">Floats from one row of y to the next.</param>
    /// <param name="accumulate">Whether to add to what is there.</param>
    /// <param name="threads">Threads that it may use; -1: all.</param>
    public void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1)
    {
        var pieces = (_panels + PanelsTogether - 1) / PanelsTogether;
        if (threads == 1 || (long)rows * Outputs * Inputs < ParallelWork)
        {
            for (var piece = 0; piece < pieces; piece++)
                Piece(piece, x, xStride, rows, y, yStride, accumulate);
            return;
        }

        MultiplyInParallel(pieces, x, xStride, rows, y, yStride, accumulate, threads);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _bias?.Dispose();
    }

    private void MultiplyInParallel(int pieces, float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads) =>
        Parallel.For(0, pieces * ((rows + RowsTogether - 1) / RowsTogether), new ParallelOptions { MaxDegreeOfParallelism = threads }, part =>
        {
            var first = part / pieces * RowsTogether;
            Piece(part % pieces, x + (long)first * xStride, xStride, Math.Min(RowsTogether, rows - first), y + (long)first * yStride, yStride,
                accumulate);
        });

    private void Piece(int piece, float* x, int xStride, int rows, float* y, int yStride, bool accumulate)
    {
        int first = piece * PanelsTogether, last = Math.Min(first + PanelsTogether, _panels);
        var bias = _bias is null ? null : _bias.Start + first * Panel;
        if (!accumulate)
            Fill(y + first * Panel, yStride, rows, bias, (last - first) * Panel);
        var to = y + first * Panel;
        switch (_format)
        {
            case PanelFormat.BFloat16:
                Piece<HalfNumbers>(first, last, x, xStride, rows, to, yStride);
                break;
            case PanelFormat.Float16:
                Piece<Half16Numbers>(first, last, x, xStride, rows, to, yStride);
                break;
            default:
                Piece<SingleNumbers>(first, last, x, xStride, rows, to, yStride);
                break;
        }
    }

    private void Piece<T>(int first, int last, float* x, int xStride, int rows, float* y, int yStride) where T : struct, IPanelNumbers
    {
        var w = (byte*)_weights.Start + (long)first * Panel * Inputs * T.Bytes;
        new PanelKernel<T>(Inputs, (long)Panel * Inputs, xStride, yStride).Run(w, last - first, x, rows, y);
    }

    private static void Fill(float* y, int yStride, int rows, float* bias, int count)
    {
        for (var row = 0; row < rows; row++)
        {
            var target = new Span<float>(y + (long)row * yStride, count);
            if (bias is null)
                target.Clear();
            else
                new ReadOnlySpan<float>(bias, count).CopyTo(target);
        }
    }
}
