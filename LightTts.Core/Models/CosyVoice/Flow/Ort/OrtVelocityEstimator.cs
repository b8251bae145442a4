using LightTts.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>An ONNX file where it can compute what is asked for, LightTts' own estimator everywhere else, and everywhere once ONNX Runtime has
/// failed: both keep the past in the same pages, so that a pass goes on with the other from the step that failed.</summary>
/// <param name="own">LightTts' own; owned from here on.</param>
/// <param name="file">Owned from here on.</param>
/// <param name="log">Told when ONNX Runtime fails, once.</param>
internal sealed class OrtVelocityEstimator(IVelocityEstimator own, IEstimatorFile file, ILogger log) : IVelocityEstimator
{
    private int _lost;
    private long _runs;

    public bool KeepsPast => own.KeepsPast;

    public FlowPagePool? Pages => own.Pages;

    /// <summary>Steps that ONNX Runtime has computed.</summary>
    public long Runs => Interlocked.Read(ref _runs);

    /// <summary>Whether ONNX Runtime has failed.</summary>
    public bool IsLost => Volatile.Read(ref _lost) != 0;

    public IFlowCache? CreateCache(int steps) => own.CreateCache(steps);

    public void Prepare(int maxRows) => own.Prepare(maxRows);

    public IEstimatorPass Begin(IReadOnlyList<FlowSegment> segments, float[] times) =>
        IsLost || !segments.Any(file.Takes) ? own.Begin(segments, times) : new Pass(this, segments, times);

    public void Dispose()
    {
        file.Dispose();
        own.Dispose();
    }

    private void Lose(Exception cause)
    {
        if (Interlocked.Exchange(ref _lost, 1) == 0)
            LogMessages.OnnxDecoderLost(log, cause.Message.ReplaceLineEndings(" ").Trim());
    }

    private sealed class Pass : IEstimatorPass
    {
        private readonly OrtVelocityEstimator _estimator;
        private readonly IReadOnlyList<FlowSegment> _segments;
        private readonly float[] _times;
        private readonly IEstimatorPass?[] _passes; // of each segment that the file takes
        private IEstimatorPass? _own; // of the others; of all, once the file has failed

        public Pass(OrtVelocityEstimator estimator, IReadOnlyList<FlowSegment> segments, float[] times)
        {
            (_estimator, _segments, _times) = (estimator, segments, times);
            _passes = new IEstimatorPass?[segments.Count];
            try
            {
                for (var i = 0; i < segments.Count; i++)
                    if (estimator.File.Takes(segments[i]))
                        _passes[i] = estimator.File.Begin(segments[i], times);
                FlowSegment[] others = [.. segments.Where((_, i) => _passes[i] is null)];
                _own = others.Length > 0 ? estimator.Own.Begin(others, times) : null;
            }
            catch (Exception e) when (IsOfOnnxRuntime(e))
            {
                FallBack(e);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public Tensor Velocity(Tensor x, int step)
        {
            if (Array.TrueForAll(_passes, pass => pass is null))
                return _own!.Velocity(x, step);
            try
            {
                var velocity = ByFile(x, step);
                Interlocked.Increment(ref _estimator._runs);
                return velocity;
            }
            catch (Exception e) when (IsOfOnnxRuntime(e))
            {
                FallBack(e);
                return _own!.Velocity(x, step);
            }
        }

        public void Dispose()
        {
            DisposePasses();
            _own?.Dispose();
        }

        private Tensor ByFile(Tensor x, int step)
        {
            var parts = new Tensor[_segments.Count];
            List<Tensor> others = [];
            var at = 0;
            for (var i = 0; i < parts.Length; i++)
            {
                var part = x.narrow(0, at, _segments[i].Count);
                at += _segments[i].Count;
                if (_passes[i] is { } pass)
                    parts[i] = pass.Velocity(part, step);
                else
                    others.Add(part);
            }
            if (others.Count > 0)
            {
                var velocity = _own!.Velocity(cat(others, 0), step);
                at = 0;
                for (var i = 0; i < parts.Length; i++)
                {
                    if (_passes[i] is not null)
                        continue;
                    parts[i] = velocity.narrow(1, at, _segments[i].Count);
                    at += _segments[i].Count;
                }
            }
            return parts.Length == 1 ? parts[0] : cat(parts, 1);
        }

        private void FallBack(Exception cause)
        {
            _estimator.Lose(cause);
            DisposePasses();
            _own?.Dispose();
            _own = null;
            _own = _estimator.Own.Begin(_segments, _times);
        }

        private void DisposePasses()
        {
            foreach (var pass in _passes)
                pass?.Dispose();
            Array.Clear(_passes);
        }

        private static bool IsOfOnnxRuntime(Exception e) =>
            e is OnnxRuntimeException or TtsSynthesisException { InnerException: OnnxRuntimeException };
    }

    private IVelocityEstimator Own => own;

    private IEstimatorFile File => file;
}
