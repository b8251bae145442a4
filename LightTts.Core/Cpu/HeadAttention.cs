using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>softmax(q kᵀ / √d) v of one attention head for many queries, over keys and values that lie row by row wherever they lie.</summary>
/// <remarks>
/// Keys and values are brought into the order of <see cref="PanelKernel{T}"/> once, which does both products; that takes the place of the copy that
/// would put them side by side. Working memory of one thread at a time.
/// </remarks>
/// <param name="headDim">Length of a key, a multiple of 16.</param>
internal sealed unsafe class HeadAttention(int headDim) : IDisposable
{
    /// <summary>Queries that are attended for at once, at the most.</summary>
    public const int MostRows = 64;

    private const int Panel = PackedMatrix.Panel;

    private readonly NativeBuffer _queries = new((long)MostRows * headDim);
    private readonly NativeBuffer _none = new(headDim); // beyond the last key
    private readonly NativeBuffer _wide = new((long)Panel * headDim); // rows that are kept in fewer bits
    private NativeBuffer _keys = new(0);   // [count / 16][headDim][16]
    private NativeBuffer _values = new(0); // [headDim / 16][count][16]
    private NativeBuffer _scores = new(0); // [MostRows, padded count]
    private int _count;

    /// <summary>Takes keys and values.</summary>
    /// <param name="keys">Where each one lies, [count] addresses of <c>headDim</c> floats.</param>
    /// <param name="values">Likewise.</param>
    /// <param name="kept">So many of the first ones are kept in another way.</param>
    /// <param name="numbers">In which.</param>
    public void Load(ReadOnlySpan<nint> keys, ReadOnlySpan<nint> values, int kept, KeptRows numbers)
    {
        _count = keys.Length;
        var padded = NativeBuffer.Padded(_count);
        if (_keys.Length < (long)padded * headDim)
        {
            // With room for the chunks that follow.
            Free();
            var room = padded + padded / 2 + Panel;
            room -= room % Panel;
            (_keys, _values) = (new NativeBuffer((long)room * headDim), new NativeBuffer((long)room * headDim));
            _scores = new NativeBuffer((long)room * MostRows);
        }
        var rows = stackalloc float*[Panel];
        for (var first = 0; first < _count; first += Panel)
        {
            for (var i = 0; i < Panel; i++)
            {
                var key = first + i;
                rows[i] = key >= _count ? _none.Start : key >= kept ? (float*)keys[key] : _wide.Start + i * headDim;
                if (key < kept)
                    numbers.Read((byte*)keys[key], rows[i], headDim);
            }
            Turn(rows, _keys.Start + (long)first * headDim);
        }
        for (var key = 0; key < _count; key++)
        {
            var value = key < kept ? _wide.Start : (float*)values[key];
            if (key < kept)
                numbers.Read((byte*)values[key], value, headDim);
            for (var d = 0; d < headDim; d += Panel)
                Vector512.Load(value + d).Store(_values.Start + ((long)d / Panel * _count + key) * Panel);
        }
    }

    /// <summary>Attends for some queries to the first keys.</summary>
    /// <param name="q">[rows, headDim].</param>
    /// <param name="qStride">Floats from one query to the next.</param>
    /// <param name="rows">At most <see cref="MostRows"/>.</param>
    /// <param name="seen">Keys that they see, at least 1.</param>
    /// <param name="y">[rows, headDim].</param>
    /// <param name="yStride">Floats from one row of it to the next.</param>
    public void Attend(float* q, int qStride, int rows, int seen, float* y, int yStride)
    {
        int panels = (seen + Panel - 1) / Panel, stride = panels * Panel;
        var scale = 1 / MathF.Sqrt(headDim);
        for (var row = 0; row < rows; row++)
        {
            for (var d = 0; d < headDim; d += Panel)
                (Vector512.Load(q + (long)row * qStride + d) * scale).Store(_queries.Start + (long)row * headDim + d);
            new Span<float>(y + (long)row * yStride, headDim).Clear();
        }
        new Span<float>(_scores.Start, rows * stride).Clear();
        new PanelKernel<SingleNumbers>(headDim, (long)Panel * headDim, headDim, stride).Run((byte*)_keys.Start, panels, _queries.Start, rows,
            _scores.Start);
        var sums = stackalloc float[MostRows];
        for (var row = 0; row < rows; row++)
            sums[row] = VectorMath.ExpAndSum(_scores.Start + (long)row * stride, seen);
        new PanelKernel<SingleNumbers>(seen, (long)_count * Panel, stride, yStride).Run((byte*)_values.Start, headDim / Panel, _scores.Start, rows,
            y);
        for (var row = 0; row < rows; row++)
            for (var d = 0; d < headDim; d += Panel)
                (Vector512.Load(y + (long)row * yStride + d) * (1 / sums[row])).Store(y + (long)row * yStride + d);
    }

    public void Dispose()
    {
        Free();
        _queries.Dispose();
        _none.Dispose();
        _wide.Dispose();
    }

    private void Free()
    {
        _keys.Dispose();
        _values.Dispose();
        _scores.Dispose();
    }

    /// <summary>16 rows to a panel: [16] rows of headDim -> [headDim][16].</summary>
    private void Turn(float** rows, float* panel)
    {
        for (var i = 0; i < Panel; i += 4)
            for (var d = 0; d < headDim; d += 4)
                Turn(rows + i, d, panel + d * Panel + i);
    }

    private static void Turn(float** rows, int from, float* to)
    {
        if (!Sse.IsSupported)
        {
            for (var i = 0; i < 4; i++)
                for (var d = 0; d < 4; d++)
                    to[d * Panel + i] = rows[i][from + d];
            return;
        }
        Vector128<float> a = Vector128.Load(rows[0] + from), b = Vector128.Load(rows[1] + from), c = Vector128.Load(rows[2] + from),
            d3 = Vector128.Load(rows[3] + from);
        Vector128<float> low = Sse.UnpackLow(a, b), high = Sse.UnpackHigh(a, b), low2 = Sse.UnpackLow(c, d3), high2 = Sse.UnpackHigh(c, d3);
        Sse.MoveLowToHigh(low, low2).Store(to);
        Sse.MoveHighToLow(low2, low).Store(to + Panel);
        Sse.MoveLowToHigh(high, high2).Store(to + 2 * Panel);
        Sse.MoveHighToLow(high2, high).Store(to + 3 * Panel);
    }
}
