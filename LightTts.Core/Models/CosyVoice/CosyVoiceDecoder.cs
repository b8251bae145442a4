using LightTts.Diagnostics;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Timbres;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Speech tokens to samples: flow, then vocoder, each over all rows of a pass: side by side on the CPU, as one batch on a GPU.</summary>
internal sealed class CosyVoiceDecoder(FlowModel flow, HiftVocoder vocoder, CosyVoiceConfig config, TorchThread thread, TorchLanes? lanes, int maxRows) : ISpeechDecoder
{
    /// <summary>Frames of audio that a first chunk brings at least (0.12 s), beyond those that the vocoder holds back.</summary>
    private const int MinFirstFrames = 6;

    /// <summary>Frames that the vocoder holds back while streaming: 5 is what exactness asks for (3 for F0, 4 less what its first layer has seen, 1 at the inverse transform);
    /// the reference holds back 8, which delays every chunk by 60 ms and changes no sample.</summary>
    public const int HeldFrames = 5;

    private long _framesReported;

    public int SampleRate => config.SampleRate;

    public int SamplesPerToken => vocoder.SamplesPerFrame * flow.FramesPerToken;

    public int ChunkTokens => flow.ChunkTokens;

    public int MaxRows => maxRows;

    /// <summary>Mel frames computed since loading, see <see cref="FlowModel.FramesComputed"/>.</summary>
    public long FramesComputed => flow.FramesComputed;

    public IDisposable EnterThread() => thread.Enter();

    public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options)
    {
        var state = flow.CreateState(timbre, options.Streaming, options.FlowSteps);
        Report();
        return new State(state, vocoder.CreateState(), options, MinFirstFrames + vocoder.HeldFrames);
    }

    public void Decode(IReadOnlyList<DecodeRow> rows, Action? interlude = null)
    {
        var mels = new List<FlowRow>(rows.Count);
        foreach (var row in rows)
            mels.Add(new FlowRow { State = ((State)row.State).Flow, Tokens = row.Tokens, Final = row.Final });
        using var scope = NewDisposeScope();
        flow.Run(mels, interlude, lanes);
        Report();
        interlude?.Invoke();
        var waves = new List<VocoderRow>(rows.Count);
        var owners = new List<DecodeRow>(rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            rows[i].Error = mels[i].Error;
            // A last pass flushes the vocoder even where it brings no frames.
            if (mels[i].Error is not null || (mels[i].Mel is null && !rows[i].Final))
                continue;
            var state = (State)rows[i].State;
            state.HasAudio |= mels[i].Mel is not null;
            if (!state.HasAudio)
                continue;
            waves.Add(new VocoderRow { State = state.Vocoder, Mel = Shaped(mels[i].Mel, state.Options), Final = rows[i].Final });
            owners.Add(rows[i]);
        }
        if (lanes is null)
            vocoder.Run(waves, interlude);
        else
            foreach (var part in waves.Chunk(lanes.Count))
                lanes.Run([.. part.Select((wave, i) => (Action)(() => RunAlone(wave, i == 0 ? interlude : null)))], interlude);
        for (var i = 0; i < waves.Count; i++)
        {
            owners[i].Error = waves[i].Error;
            owners[i].Samples = waves[i].Samples;
        }
        foreach (var row in mels)
            row.Mel?.Dispose();
    }

    public void Dispose()
    {
        lanes?.Dispose();
        flow.Dispose();
        vocoder.Dispose();
    }

    private void RunAlone(VocoderRow wave, Action? interlude)
    {
        try
        {
            vocoder.Run([wave], interlude);
        }
        catch (Exception e)
        {
            wave.Error = e;
        }
    }

    private Tensor Shaped(Tensor? mel, DecodeOptions options)
    {
        if (mel is null)
            return zeros([1, config.Flow.MelBands, 0], ScalarType.Float32);
        return options.Speed == 1 ? mel : HiftVocoder.Stretch(mel, options.Speed);
    }

    private void Report()
    {
        LightTtsDiagnostics.CountFrames(flow.FramesComputed - _framesReported);
        _framesReported = flow.FramesComputed;
    }

    private sealed class State(FlowState flow, VocoderState vocoder, DecodeOptions options, int firstFrames) : IDecodeState
    {
        public FlowState Flow => flow;

        public VocoderState Vocoder => vocoder;

        public DecodeOptions Options => options;

        public bool HasAudio { get; set; }

        public int TokensWanted => flow.TokensFor(HasAudio ? 1 : firstFrames);

        public long CacheBytes => flow.CacheBytes + vocoder.CacheBytes;

        public void Dispose()
        {
            flow.Dispose();
            vocoder.Dispose();
        }
    }
}
