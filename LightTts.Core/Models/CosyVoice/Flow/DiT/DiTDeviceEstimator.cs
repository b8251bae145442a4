using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>The velocity estimator for devices that are kept waiting by launches: batches of few shapes, each of which is captured once.</summary>
/// <remarks>
/// Streamed utterances are cut into the chunks of their mask, each a block of frames that sees a list of pages; whole ones are a block each. All
/// blocks of a kind go through every operation together, whatever utterance they belong to. To be used by one thread.
/// </remarks>
internal sealed class DiTDeviceEstimator : IVelocityEstimator
{
    private readonly DiTWeights _weights;
    private readonly TorchDevice _device;
    private readonly DiTPages _pages;
    private readonly DiTDeviceLayers _layers;
    private readonly DiTSchedules _schedules;
    private readonly Dictionary<DiTShape, DiTStepBuffers> _buffers = [];
    private Tensor? _rotations; // [frames, 1, HeadDim / 2, 2]

    /// <inheritdoc cref="DiTEstimator(DiTWeights, TorchDevice, int, long?)"/>
    public DiTDeviceEstimator(DiTWeights weights, TorchDevice device, int pageFrames, long? cacheBudget)
    {
        (_weights, _device) = (weights, device);
        _pages = new DiTPages(weights.Config, pageFrames, device, cacheBudget);
        _layers = new DiTDeviceLayers(weights, _pages, device);
        _schedules = new DiTSchedules(weights, _layers.IsFolded);
        Uploads = new Uploads(device.Device);
    }

    public bool KeepsPast => true;

    public FlowPagePool Pages => _pages.Pool;

    /// <summary>The way of what differs from pass to pass.</summary>
    internal Uploads Uploads { get; }

    /// <summary>Buffers of every shape that occurred.</summary>
    internal IEnumerable<DiTStepBuffers> Buffers => _buffers.Values;

    /// <summary>Whether this estimator can be had for a model: the convolutions' inputs are kept as another layer's keys and values, and the
    /// context of a chunk lies in the chunk before it.</summary>
    public static bool Fits(DiTWeights weights, int pageFrames) =>
        weights.Config.Dim == weights.Config.Heads * weights.Config.HeadDim && weights.ConvTail <= pageFrames;

    public IFlowCache CreateCache(int steps) => new FlowPageCache(steps, _pages.Pool, _pages.Frames);

    public void Prepare(int maxRows)
    {
        if (!_device.IsCuda || !CudaGraph.CanCapture(_device.Device.index))
            return;
        using var inference = inference_mode(true);
        MakeReady();
        var pool = new CudaGraphPool();
        // The largest first: what it works in is enough for the others.
        foreach (var shape in DiTShape.Frequent(_pages.Frames, maxRows).OrderByDescending(shape => shape.Rows * Math.Max(shape.Frames, shape.Keys)))
        {
            var buffers = BuffersOf(shape);
            try
            {
                buffers.Graph = CudaGraph.CaptureWarm(pool, () => _layers.Compute(buffers));
            }
            catch (ExternalException)
            {
                // The device has too little memory for it: passes of this shape are launched as they come, if they come.
            }
        }
    }

    public IEstimatorPass Begin(IReadOnlyList<FlowSegment> segments, float[] times)
    {
        using var inference = inference_mode(true);
        MakeReady();
        return new DiTDevicePass(this, segments, _schedules.Hold(times));
    }

    public void Dispose()
    {
        foreach (var buffers in _buffers.Values)
            buffers.Dispose();
        Uploads.Dispose();
        _rotations?.Dispose();
        _schedules.Dispose();
        _layers.Dispose();
        _weights.Dispose();
        _pages.Dispose();
    }

    /// <summary>Whether own kernels are at work.</summary>
    internal bool HasOwnKernels => _layers.HasOwnKernels;

    /// <summary>Whether attention asks how many keys a block sees, and for no mask.</summary>
    internal bool CountsKeys => _layers.CountsKeys;

    /// <summary>Own kernels that do the solver's steps, where there are any.</summary>
    internal FlowStepKernels? Steps => _layers.Steps;

    /// <summary>The calling thread's.</summary>
    internal nint Stream => CudaStream.CurrentHandle(_device.Device.index)!.Value;

    /// <summary>Modulation of the next evaluations, where no kernel finds it.</summary>
    internal Tensor Modulation => _layers.Modulation;

    internal DiTPages Places => _pages;

    internal DiTWeights Weights => _weights;

    internal Device Device => _device.Device;

    /// <summary>Rotations of all frames that there may be.</summary>
    internal Tensor Rotations => _rotations!;

    /// <summary>The buffers of a shape, for a batch that says by <see cref="DiTStepBuffers.Holders"/> how long.</summary>
    internal DiTStepBuffers BuffersOf(DiTShape shape)
    {
        if (_buffers.TryGetValue(shape, out var buffers))
            return buffers;
        if (!shape.IsPaged)
            DropIdle();
        return _buffers[shape] = new DiTStepBuffers(shape, _weights, _device);
    }

    /// <summary>Gives back the buffers of whole utterances' shapes that are not captured and not in use: there are too many such shapes to keep
    /// memory for each that occurred.</summary>
    private void DropIdle()
    {
        foreach (var (shape, buffers) in _buffers)
            if (!shape.IsPaged && buffers is { Graph: null, Holders: 0 })
            {
                _buffers.Remove(shape);
                buffers.Dispose();
            }
    }

    /// <summary>Evaluates what lies in the buffers.</summary>
    internal void Launch(DiTStepBuffers buffers)
    {
        if (buffers.Graph is { } graph)
            graph.Replay();
        else
            _layers.Compute(buffers);
    }

    private void MakeReady()
    {
        _pages.Allocate();
        if (_rotations is not null)
            return;
        using var scope = NewDisposeScope();
        var positions = Scalars.Range(0, FlowNoise.Frames, _device.Device);
        var angles = positions.unsqueeze(1) * _weights.InverseFrequencies; // [frames, HeadDim / 2], in 32 bits as in the reference
        _rotations = stack([angles.cos(), angles.sin()], 2).unsqueeze(1).DetachFromDisposeScope();
    }
}
