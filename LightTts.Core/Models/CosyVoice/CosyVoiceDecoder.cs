using System.Runtime.InteropServices;
using LightTts.Diagnostics;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Timbres;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice;

/// <summary>Speech tokens to samples: flow, then vocoder, each over all rows of a pass: side by side on the CPU, as one batch on a GPU.</summary>
internal sealed class CosyVoiceDecoder(FlowModel flow, IVocoder vocoder, CosyVoiceConfig config, TorchThread thread, TorchLanes? lanes, int maxRows)
    : ISpeechDecoder
{
    /// <summary>Tokens that are enough for everything to have run once.</summary>
    private const int WarmUpTokens = 8;

    /// <summary>Frames of audio that a first chunk brings at least (0.12 s), beyond those that the vocoder holds back.</summary>
    private const int MinFirstFrames = 6;

    private const long MostWorkingMemory = 2L << 30;

    private long _framesReported;

    public int SampleRate => config.SampleRate;

    public int SamplesPerToken => vocoder.SamplesPerFrame * flow.FramesPerToken;

    public int ChunkTokens => flow.ChunkTokens;

    public double HeldTokens => flow.LookaheadTokens + (double)vocoder.HeldFrames / flow.FramesPerToken;

    public bool IsBatched => lanes is null;

    public int MaxRows => maxRows;

    /// <summary>One that others overtake, one that overtakes it, newcomers, a prompt.</summary>
    public int MaxOpenPasses => 4;

    public DecodeMemory Memory => flow.MemoryInUse;

    /// <summary>Mel frames computed since loading, see <see cref="FlowModel.FramesComputed"/>.</summary>
    public long FramesComputed => flow.FramesComputed;

    public IDisposable EnterThread() => thread.Enter();

    public void WarmUp()
    {
        flow.Prepare(maxRows);
        vocoder.Prepare(maxRows);
        var voice = new TimbreFeatures(null, [], [], 0, new float[config.Flow.SpeakerEmbedding]);
        using var state = CreateState(voice, new DecodeOptions(Streaming: true, FlowSteps: 1, Speed: 1));
        using var pass = Begin([new DecodeRow { State = state, Tokens = new int[lanes is null ? ChunkTokens : WarmUpTokens], Final = true }]);
        while (pass.Advance())
        {
        }
        // For batches of lengths that are not captured.
        if (thread.CudaDevice is { } device)
            WorkingMemory.Reserve(new Device(TorchSharp.DeviceType.CUDA, device), 1 / 16.0, 64L << 20, MostWorkingMemory);
    }

    public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options)
    {
        var state = flow.CreateState(timbre, options.Streaming, options.FlowSteps);
        var sketch = options.Streaming && options.FirstFlowSteps < options.FlowSteps
            ? flow.CreateState(timbre, streaming: true, options.FirstFlowSteps.Value) : null;
        var first = MinFirstFrames + vocoder.HeldFrames;
        FlowState[] states = sketch is null ? [state] : [sketch, state];
        return new CosyVoiceDecodeState(state, sketch, vocoder.CreateState(options.Streaming ? Pieces(timbre.MelFrames, first) : default), options,
            first) { Unprepared = Array.FindAll(states, each => !flow.TryStartBehindPrompt(each)) };
    }

    public IDecodePass? BeginPrompt(IDecodeState state) =>
        CosyVoicePrompts.TryBegin(flow, ((CosyVoiceDecodeState)state).Unprepared) is { } pass ? new Reported(this, pass, []) : null;

    public IDecodePass Begin(IReadOnlyList<DecodeRow> rows) =>
        new Reported(this, lanes is null ? new CosyVoicePass(this, rows) : new CosyVoiceLanePass(this, rows, lanes), rows);

    public void Dispose()
    {
        lanes?.Dispose();
        flow.Dispose();
        vocoder.Dispose();
    }

    internal FlowPass BeginFlow(IReadOnlyList<FlowRow> rows) => flow.Begin(rows);

    internal IDecodePass BeginVocoder(IReadOnlyList<VocoderRow> rows) => vocoder.Begin(rows);

    /// <summary>A mel at its utterance's speaking rate; in the caller's dispose scope.</summary>
    internal Tensor AtSpeed(Tensor? mel, double speed)
    {
        if (mel is null)
            return zeros([1, config.Flow.MelBands, 0], ScalarType.Float32);
        return speed == 1 ? mel : Stretch(mel, speed);
    }

    /// <summary>Linear interpolation along time, for other speaking rates (reference: F.interpolate, align_corners False).
    /// [1, bands, n] -> [1, bands, n / speed], at least one frame.</summary>
    internal static Tensor Stretch(Tensor mel, double speed) =>
        interpolate(mel, [Math.Max(1, (long)(mel.shape[2] / speed))], mode: InterpolationMode.Linear, align_corners: false);

    /// <summary>Frames come to the ends of the chunk-causal mask's chunks, which are counted from the prompt's first frame.</summary>
    private MelPieces Pieces(int promptFrames, int first)
    {
        var chunk = flow.ChunkTokens * flow.FramesPerToken;
        return new MelPieces((promptFrames + first + chunk - 1) / chunk * chunk - promptFrames, chunk);
    }

    private void Report()
    {
        var frames = flow.FramesComputed;
        if (frames == _framesReported)
            return;
        LightTtsDiagnostics.CountFrames(frames - _framesReported);
        _framesReported = frames;
    }

    /// <summary>After a request found no memory: libtorch has given back what it had to work in, for nothing, and takes half of it again before
    /// others do, so that smaller requests go on.</summary>
    private void Replenish()
    {
        if (thread.CudaDevice is not { } device)
            return;
        try
        {
            WorkingMemory.Reserve(new Device(TorchSharp.DeviceType.CUDA, device), 1 / 2.0, 2L << 20, MostWorkingMemory);
        }
        catch (ExternalException)
        {
            // There is nothing.
        }
    }

    /// <summary>Tells the meter what a pass has computed, on the stage's thread.</summary>
    private sealed class Reported(CosyVoiceDecoder decoder, IDecodePass pass, IReadOnlyList<DecodeRow> rows) : IDecodePass
    {
        public bool Advance()
        {
            try
            {
                if (pass.Advance())
                    return true;
                if (rows.Any(row => row.Error is { } error && DeviceMemoryFault.Of(error) is not null))
                    decoder.Replenish();
                return false;
            }
            finally
            {
                decoder.Report();
            }
        }

        public void Dispose() => pass.Dispose();
    }
}
