using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT.Cpu;

/// <summary><see cref="CpuDiTEstimator"/> at work on the segments of one pass.</summary>
internal sealed unsafe class CpuDiTPass : IEstimatorPass
{
    private const float NormEps = 1e-6f;
    private const int Parts = 6; // of a block's modulation

    private readonly CpuDiTEstimator _estimator;
    private readonly DiTWeights _weights;
    private readonly DiTSchedule _schedule;
    private readonly Tensor _constant;
    private readonly Tensor _rotations;
    private readonly float* _turns;  // [M, HeadDim] cosines and sines
    private readonly long _width;    // numbers of a step in the schedule's table
    private readonly float* _table;
    private readonly Part[] _segments;
    private readonly int _frames;    // M
    private readonly int _dim;
    private readonly int _inner;
    private readonly int _hidden;
    private readonly int _headDim;
    private readonly NativeBuffer _h;        // [2 M, Dim]
    private readonly NativeBuffer _normal;   // [2 M, Dim], what goes into a product
    private readonly NativeBuffer _qkv;      // [2 M, 3 inner]
    private readonly NativeBuffer _attended; // [2 M, inner]
    private readonly NativeBuffer _up;       // [2 M, hidden]
    private readonly NativeBuffer _branch;   // [2 M, Dim]

    /// <param name="estimator">Whose pass.</param>
    /// <param name="segments">The utterances' frames.</param>
    /// <param name="schedule">Held; let go with the pass.</param>
    /// <param name="inputs">Its constants; kept.</param>
    public CpuDiTPass(CpuDiTEstimator estimator, IReadOnlyList<FlowSegment> segments, DiTSchedule schedule, DiTInputs inputs)
    {
        (_estimator, _weights, _schedule) = (estimator, estimator.Weights, schedule);
        var config = _weights.Config;
        (_dim, _headDim, _inner, _hidden) = (config.Dim, config.HeadDim, config.Heads * config.HeadDim, config.Dim * config.FeedForwardMultiple);
        _table = schedule.Table.Pointer();
        _width = DiTStep.Width(config.Depth, _dim);
        _constant = inputs.Constant.contiguous().DetachFromDisposeScope();
        _rotations = inputs.Rotations.view_as_real().contiguous().DetachFromDisposeScope();
        _turns = _rotations.Pointer();
        _segments = new Part[segments.Count];
        for (var i = 0; i < _segments.Length; i++)
        {
            _segments[i] = new Part(segments[i], _frames);
            _frames += segments[i].Count;
        }
        var rows = 2L * _frames;
        (_h, _normal, _branch) = (new NativeBuffer(rows * _dim), new NativeBuffer(rows * _dim), new NativeBuffer(rows * _dim));
        (_qkv, _attended, _up) = (new NativeBuffer(rows * 3 * _inner), new NativeBuffer(rows * _inner), new NativeBuffer(rows * _hidden));
    }

    public Tensor Velocity(Tensor x, int step)
    {
        var projected = _weights.InputX.Apply(x).contiguous();
        var normal = empty([2, _frames, _dim], ScalarType.Float32);
        foreach (var part in _segments)
            part.TakeTails(step, _dim, _weights.ConvTail);
        var threads = get_num_threads();
        float* from = projected.Pointer(), to = normal.Pointer();
        // A single thread does both rows at once, so that the weights come by once.
        if (threads > 1)
            Parallel.For(0, 2, new ParallelOptions { MaxDegreeOfParallelism = 2 }, row => Solve(from, to, step, new Slice(row, 1, threads / 2)));
        else
            Solve(from, to, step, new Slice(0, 2, 1));
        // Products of libtorch set it to their share on each thread, of which this was one.
        if (get_num_threads() != threads)
            set_num_threads(threads);
        foreach (var part in _segments)
            part.KeepTails(step);
        return _weights.Output.Apply(normal.view(-1, _dim)).view(2, -1, _weights.MelBands);
    }

    public void Dispose()
    {
        foreach (var buffer in (NativeBuffer[])[_h, _normal, _qkv, _attended, _up, _branch])
            buffer.Dispose();
        foreach (var part in _segments)
            part.Dispose();
        _constant.Dispose();
        _rotations.Dispose();
        _schedule.Dispose();
    }

    private void Solve(float* projected, float* result, int step, Slice slice)
    {
        int first = slice.Row * _frames, count = slice.Rows * _frames;
        var h = _h.Start + (long)first * _dim;
        var constant = _constant.Pointer() + (long)first * _dim;
        for (var row = 0; row < slice.Rows; row++)
            System.Numerics.Tensors.TensorPrimitives.Add(new ReadOnlySpan<float>(projected, _frames * _dim),
                new ReadOnlySpan<float>(constant + (long)row * _frames * _dim, _frames * _dim),
                new Span<float>(h + (long)row * _frames * _dim, _frames * _dim));
        AddPositions(slice);
        var modulation = _table + step * _width;
        Each(slice, count, row => Normalise(first + row, modulation, 0, _normal.Start));
        for (var layer = 0; layer < _weights.Blocks.Length; layer++, modulation += Parts * _dim)
            Block(layer, step, modulation, slice);
        // The last norm's scale comes before its shift.
        Each(slice, count, row => TransformerMath.LayerNorm(At(_h, first + row, _dim), modulation, modulation + _dim,
            result + (long)(first + row) * _dim, _dim, NormEps));
    }

    /// <summary>One transformer block: takes its normalised input, and leaves the next one's where one follows.</summary>
    private void Block(int layer, int step, float* modulation, Slice slice)
    {
        int first = slice.Row * _frames, count = slice.Rows * _frames;
        var block = _weights.Blocks[layer];
        Multiply(block.Qkv, _normal, _dim, _qkv, 3 * _inner, slice);
        Attend(layer, step, slice);
        Multiply(block.AttentionOut, _attended, _inner, _branch, _dim, slice);
        Each(slice, count, row =>
        {
            TransformerMath.AddGated(At(_h, first + row, _dim), At(_branch, first + row, _dim), modulation + 2 * _dim, _dim);
            Normalise(first + row, modulation, 3, _normal.Start);
        });
        Multiply(block.Up, _normal, _dim, _up, _hidden, slice);
        Each(slice, count, row => TransformerMath.Gelu(At(_up, first + row, _hidden), _hidden));
        Multiply(block.Down, _up, _hidden, _branch, _dim, slice);
        var isLast = layer == _weights.Blocks.Length - 1;
        Each(slice, count, row =>
        {
            TransformerMath.AddGated(At(_h, first + row, _dim), At(_branch, first + row, _dim), modulation + 5 * _dim, _dim);
            if (!isLast)
                Normalise(first + row, modulation + Parts * _dim, 0, _normal.Start);
        });
    }

    private void AddPositions(Slice slice)
    {
        var positional = _estimator.Positional;
        foreach (var part in _segments)
            SimdWork.Split(slice.Threads, slice.Rows * positional.Groups, 1, (from, to) =>
            {
                for (var task = from; task < to; task++)
                {
                    var row = slice.Row + task / positional.Groups;
                    positional.Add(task % positional.Groups, At(_h, row * _frames + part.At, _dim), _dim, part.Segment.Count,
                        part.Before(row), part.After(row));
                }
            });
    }

    private void Attend(int layer, int step, Slice slice)
    {
        var heads = _weights.Config.Heads;
        foreach (var part in _segments)
            SimdWork.Split(slice.Threads, slice.Rows * heads, 1, (from, to) =>
            {
                var attention = _estimator.Rent();
                for (var task = from; task < to; task++)
                    Attend(attention, part, layer, step, slice.Row + task / heads, task % heads);
                _estimator.Return(attention);
            });
    }

    private void Attend(HeadAttention attention, Part part, int layer, int step, int row, int head)
    {
        var segment = part.Segment;
        var (store, cache) = (_estimator.Store, segment.Cache as FlowCache);
        int before = segment.Start / store.Frames, past = before * store.Frames, length = past + segment.Count, stride = 3 * _inner;
        var qkv = At(_qkv, row * _frames + part.At, stride) + head * _headDim;
        // As the reference applies them to vectors that are not split into heads: to the first head only.
        if (head == 0)
            for (var frame = 0; frame < segment.Count; frame++)
                for (var kind = 0; kind < 2; kind++)
                    VectorMath.Rotate(qkv + (long)frame * stride + kind * _inner, _turns + (long)(part.At + frame) * _headDim, _headDim);

        // A chunk reads its own frames as those behind it will, whether they are of this pass or of a later one.
        var rounds = !store.Rows.IsExact && segment.Chunk > 0;
        var kept = cache is null || segment.Last ? 0 : segment.Count / store.Frames * store.Frames;
        var spare = stackalloc byte[store.Rows.Size(_headDim)];
        var addresses = new nint[2 * length];
        for (var kind = 0; kind < 2; kind++)
        {
            var each = addresses.AsSpan(kind * length, length);
            for (var frame = 0; frame < past; frame++)
                each[frame] = (nint)Place(frame);
            for (var frame = 0; frame < segment.Count; frame++)
            {
                var vector = qkv + (long)frame * stride + (kind + 1) * _inner;
                each[past + frame] = (nint)vector;
                if (frame >= kept && !rounds)
                    continue;
                var place = frame < kept ? Place(past + frame) : spare;
                store.Rows.Write(vector, place, _headDim);
                if (rounds)
                    store.Rows.Read(place, vector, _headDim);
            }

            byte* Place(int frame) => store.Place(cache!.Pages(step).Pages[frame / store.Frames], layer, kind == 1, row, head, frame % store.Frames);
        }
        attention.Load(addresses.AsSpan(0, length), addresses.AsSpan(length), past, store.Rows);
        for (var at = 0; at < segment.Count;)
        {
            // A frame sees everything before the end of its own chunk.
            var seen = segment.Chunk == 0 ? length : Math.Min(((past + at) / segment.Chunk + 1) * segment.Chunk, length);
            var rows = Math.Min(Math.Min(HeadAttention.MostRows, segment.Count - at), segment.Chunk == 0 ? int.MaxValue : seen - past - at);
            attention.Attend(qkv + (long)at * stride, stride, rows, seen, At(_attended, row * _frames + part.At + at, _inner) + head * _headDim,
                _inner);
            at += rows;
        }
    }

    private void Normalise(int row, float* modulation, int shift, float* to) => TransformerMath.LayerNorm(At(_h, row, _dim),
        modulation + (shift + 1) * _dim, modulation + shift * _dim, to + (long)row * _dim, _dim, NormEps);

    private void Multiply(Linear product, NativeBuffer x, int inputs, NativeBuffer y, int outputs, Slice slice) =>
        ((HostLinear)product).Multiply(At(x, slice.Row * _frames, inputs), inputs, slice.Rows * _frames, At(y, slice.Row * _frames, outputs), outputs,
            accumulate: false, slice.Threads);

    private static float* At(NativeBuffer buffer, int row, int width) => buffer.Start + (long)row * width;

    private static void Each(Slice slice, int rows, Action<int> action) => SimdWork.Split(slice.Threads, rows, 1, (from, to) =>
    {
        for (var row = from; row < to; row++)
            action(row);
    });

    /// <summary>Guidance rows that are computed together.</summary>
    private readonly record struct Slice(int Row, int Rows, int Threads);

    /// <summary>An utterance's frames, and where they begin in the pass.</summary>
    private sealed class Part(FlowSegment segment, int at) : IDisposable
    {
        private readonly Tensor?[] _before = new Tensor?[2]; // the cache's
        private readonly Tensor?[] _after = new Tensor?[2];
        private long _size;

        public FlowSegment Segment => segment;

        public int At => at;

        /// <summary>The convolutions' left contexts of a guidance row.</summary>
        public (nint, nint) Before(int row) => (Of(_before[0], row), Of(_before[1], row));

        public (nint, nint) After(int row) => (Of(_after[0], row), Of(_after[1], row));

        public void TakeTails(int step, int dim, int frames)
        {
            _size = (long)dim * frames;
            for (var i = 0; i < 2; i++)
            {
                _before[i] = (segment.Cache as FlowCache)?.Tail(step, i) ?? (segment.Shared as FlowCache)?.Tail(step, i);
                if (segment.Cache is FlowCache && !segment.Last)
                    _after[i] = empty([2, dim, frames], ScalarType.Float32).DetachFromDisposeScope();
            }
        }

        public void KeepTails(int step)
        {
            for (var i = 0; i < 2; i++)
                if (_after[i] is { } tail)
                {
                    ((FlowCache)segment.Cache!).SetTail(step, i, tail);
                    _after[i] = null;
                }
        }

        public void Dispose()
        {
            foreach (var tail in _after)
                tail?.Dispose();
        }

        private nint Of(Tensor? tail, int row) => tail is null ? 0 : (nint)(tail.Pointer() + row * _size);
    }
}
