using LightTts.Diagnostics;
using LightTts.Models.CosyVoice.Files;
using LightTts.Onnx;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>Puts ONNX Runtime in front of a flow's own estimator, where that was asked for or is the better choice.</summary>
/// <param name="Root">The model directory.</param>
/// <param name="Config">The flow's shapes.</param>
/// <param name="Engine">What was asked for.</param>
/// <param name="Options">How ONNX Runtime is set up, TensorRT's arithmetic for the estimator included.</param>
/// <param name="Frames">The lengths that TensorRT builds its engine for.</param>
internal sealed record OrtEstimators(string Root, FlowConfig Config, DecoderEngine Engine, OnnxOptions Options, OrtFrames Frames)
{
    /// <summary>The estimator to use.</summary>
    /// <param name="own">LightTts' own, which is part of the result.</param>
    /// <param name="archive">Its weights.</param>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="TtsModelLoadException">ONNX Runtime was asked for, and there is no file that it can run.</exception>
    /// <exception cref="TtsBackendException">ONNX Runtime was asked for, and it cannot be had.</exception>
    public IVelocityEstimator Over(IVelocityEstimator own, ITensorArchive archive, Device device)
    {
        if (Engine == DecoderEngine.Torch)
            return own;
        var streaming = File.Exists(StreamingEstimatorFile.PathIn(Root));
        if (!streaming && !File.Exists(WholeEstimatorFile.PathIn(Root)))
            return Engine == DecoderEngine.Auto ? own
                : throw new TtsModelLoadException($"{Root}: there is no {WholeEstimatorFile.FileName} for ONNX Runtime to decode with. Export "
                    + $"{StreamingContract.FileName} ('speak models export-onnx {Root}'), or set {nameof(TtsPipelineOptions)}."
                    + $"{nameof(TtsPipelineOptions.Decoder)} to {nameof(DecoderEngine.Auto)}.");
        var options = Options with { KeepMemory = true };
        if (Engine == DecoderEngine.OnnxRuntime)
            return With(own, Open(streaming, options, device, archive));
        // On one and the same device it would only cost a second copy of the weights, but for TensorRT; see DecoderEngine.Auto.
        var better = options.Providers.TakeWhile(provider => provider != ExecutionProvider.Cpu)
            .Where(provider => provider == ExecutionProvider.TensorRt || device.type == TorchSharp.DeviceType.CPU).ToList();
        if (better.Count == 0)
            return own;
        try
        {
            return With(own, Open(streaming, options with { Providers = better }, device, archive));
        }
        catch (Exception e) when (e is TtsModelLoadException or TtsBackendException)
        {
            LogMessages.NoOnnxDecoder(Options.Log, (e.InnerException as NoProviderException ?? e).Message);
            return own;
        }
    }

    private OrtVelocityEstimator With(IVelocityEstimator own, IEstimatorFile file)
    {
        LogMessages.OnnxDecoder(Options.Log, file.Provider, file.Name);
        return new OrtVelocityEstimator(own, file, Options.Log);
    }

    private IEstimatorFile Open(bool streaming, OnnxOptions options, Device device, ITensorArchive archive)
    {
        var shapes = streaming ? StreamingEstimatorFile.Shapes(Config, Frames) : WholeEstimatorFile.Shapes(Config.MelBands, Frames);
        var path = streaming ? StreamingEstimatorFile.PathIn(Root) : WholeEstimatorFile.PathIn(Root);
        var session = OnnxSession.Load(path, options with
        {
            TensorRt = options.TensorRt with { Shapes = shapes },
            Tf32 = options.TensorRt.HalfPrecision, // of about the same precision
        });
        // Only TensorRT's engine is made for certain lengths.
        var frames = session.Providers.Contains(ExecutionProvider.TensorRt) ? Frames : OrtFrames.Any;
        try
        {
            return streaming ? new StreamingEstimatorFile(session, Config, WeightsMark.Of(archive), device, frames)
                : new WholeEstimatorFile(session, Config.MelBands, device, frames);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}

/// <summary>Lengths of a pass.</summary>
/// <param name="Min">The fewest frames.</param>
/// <param name="Optimal">What it is made fast for.</param>
/// <param name="Max">The most.</param>
internal readonly record struct OrtFrames(int Min, int Optimal, int Max)
{
    public static OrtFrames Any { get; } = new(1, 1, int.MaxValue);

    /// <summary>Whether a pass of so many frames, and all of its utterance's, are within.</summary>
    public bool Have(int frames, int total) => frames >= Min && total <= Max;
}
