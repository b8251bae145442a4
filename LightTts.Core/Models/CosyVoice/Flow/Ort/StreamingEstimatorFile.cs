using LightTts.Models.CosyVoice.Files;
using LightTts.Onnx;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>The estimator that LightTts exports (<see cref="StreamingContract"/>): whole utterances, and streamed ones behind their past.</summary>
internal sealed class StreamingEstimatorFile : IEstimatorFile
{
    private readonly OnnxSession _session;
    private readonly Device _device;
    private readonly int _melBands;
    private readonly OrtFrames _frames;
    private readonly long[][] _tails;

    /// <param name="session">Owned from here on, unless this throws.</param>
    /// <param name="config">The flow's shapes.</param>
    /// <param name="weights">Mark of the flow's weights.</param>
    /// <param name="device">Where the flow's tensors lie.</param>
    /// <param name="frames">Lengths that its engine is built for.</param>
    /// <exception cref="TtsModelLoadException">It was exported from other weights.</exception>
    public StreamingEstimatorFile(OnnxSession session, FlowConfig config, string weights, Device device, OrtFrames frames)
    {
        if (session.InputShape(StreamingContract.Past) is not [_, _, 2, 2, _, var page, _] || page != config.ChunkFrames
            || session.InputShape(StreamingContract.X) is not [_, var mel] || mel != config.MelBands
            || session.Metadata.GetValueOrDefault(StreamingContract.WeightsNote) != weights)
            throw new TtsModelLoadException($"'{session.Path}' was exported from other weights than those beside it. Export it again: "
                + "speak models export-onnx DIR (or delete it).");
        (_session, _device, _melBands) = (session, device, config.MelBands);
        _frames = frames;
        _tails = [.. Enumerable.Range(0, int.MaxValue).Select(i => session.InputShape(StreamingContract.Tail(i)))
            .TakeWhile(shape => shape is not null).Select(shape => shape!.Select(n => (long)n).ToArray())];
    }

    public string Name => StreamingContract.FileName;

    public string Provider => _session.Shown;

    public static string PathIn(string root) => Path.Combine(root, StreamingContract.FileName);

    /// <summary>What another estimator keeps in a way of its own cannot be read here.</summary>
    public bool Takes(FlowSegment segment) =>
        (segment.Cache is null or FlowCache) && _frames.Have(segment.Count, segment.Start + segment.Count);

    /// <summary>The shapes that TensorRT's engine is built for.</summary>
    public static IReadOnlyList<OnnxShapeRange> Shapes(FlowConfig config, OrtFrames frames)
    {
        OnnxShapeRange Range(string name) =>
            new(name, [frames.Min, config.MelBands], [frames.Optimal, config.MelBands], [frames.Max, config.MelBands]);
        List<OnnxShapeRange> shapes = [Range(StreamingContract.X), Range(StreamingContract.Mu), Range(StreamingContract.Condition)];
        if (config.Dit is { } dit)
        {
            int[] Pages(int count) => [count, dit.Depth, 2, 2, dit.Heads, config.ChunkFrames, dit.HeadDim];
            shapes.Add(new(StreamingContract.Past, Pages(0), Pages(frames.Optimal / config.ChunkFrames), Pages(frames.Max / config.ChunkFrames)));
        }
        return shapes;
    }

    public IEstimatorPass Begin(FlowSegment segment, float[] times) => new Pass(this, segment, times);

    public void Dispose() => _session.Dispose();

    private sealed class Pass : IEstimatorPass
    {
        private readonly StreamingEstimatorFile _file;
        private readonly FlowSegment _segment;
        private readonly FlowCache? _cache;
        private readonly float[] _times;
        private readonly KeptTensors _tensors = new();
        private readonly OrtTensors _run;
        private readonly Tensor _x, _t, _velocity, _present;
        private readonly Tensor[] _nextTails, _firstTails;

        public Pass(StreamingEstimatorFile file, FlowSegment segment, float[] times)
        {
            (_file, _segment, _cache, _times) = (file, segment, (FlowCache?)segment.Cache, times);
            var session = file._session;
            var device = OrtTensors.BesideSession(session, file._device);
            _run = new OrtTensors(session, file._device);
            var past = session.InputShape(StreamingContract.Past)!;
            using var scope = NewDisposeScope();
            Tensor Make(params long[] shape) => _tensors.Keep(zeros(shape, ScalarType.Float32, device));
            try
            {
                _x = Make(segment.Count, file._melBands);
                _t = Make(1);
                _velocity = Make(2, segment.Count, file._melBands);
                _present = Make(past[1], 2, 2, past[4], segment.Count, past[6]);
                _firstTails = [.. file._tails.Select(Make)];
                _nextTails = [.. file._tails.Select(Make)];
                _run.Input(StreamingContract.X, _x);
                _run.Input(StreamingContract.Time, _t);
                _run.Input(StreamingContract.Mu, _tensors.Keep(_run.Near(segment.Mu)));
                _run.Input(StreamingContract.Speaker, _tensors.Keep(_run.Near(segment.Speaker)));
                _run.Input(StreamingContract.Condition, _tensors.Keep(_run.Near(segment.Condition)));
                var chunk = segment.Chunk > 0 ? segment.Chunk : segment.Count;
                _run.Input(StreamingContract.Chunk, _tensors.Keep(tensor(new[] { (long)chunk })));
                _run.Output(StreamingContract.Velocity, _velocity);
                _run.Output(StreamingContract.Present, _present);
                for (var i = 0; i < _nextTails.Length; i++)
                    _run.Output(StreamingContract.NextTail(i), _nextTails[i]);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public Tensor Velocity(Tensor x, int step)
        {
            using (NewDisposeScope())
            {
                _x.copy_(x);
                _t.fill_(Scalars.Of(_times[step]));
                SetPast(step);
                _run.Run(_file._session);
                if (_cache is not null && !_segment.Last)
                    Keep(step);
            }
            return _velocity.to(x.device).clone();
        }

        public void Dispose()
        {
            _run.Dispose();
            _tensors.Dispose();
        }

        /// <summary>The inputs' memory lives in the caller's dispose scope, which spans the run.</summary>
        private void SetPast(int step)
        {
            var before = _cache is null ? 0 : _segment.Start;
            _run.Input(StreamingContract.Past,
                before > 0 ? _run.Near(_cache!.Past(step, before)) : empty([0, .. PageShape()], ScalarType.Float32, _x.device));
            for (var i = 0; i < _firstTails.Length; i++)
            {
                var kept = _cache?.Tail(step, i) ?? (_segment.Shared as FlowCache)?.Tail(step, i);
                _run.Input(StreamingContract.Tail(i), kept is null ? _firstTails[i] : _run.Near(kept));
            }
        }

        private long[] PageShape() => [.. _file._session.InputShape(StreamingContract.Past)!.Skip(1).Select(n => (long)n)];

        private void Keep(int step)
        {
            _cache!.Keep(step, _segment.Start, _present);
            for (var i = 0; i < _nextTails.Length; i++)
                _cache.SetTail(step, i, _nextTails[i].to(_segment.Mu.device).clone());
        }
    }
}
