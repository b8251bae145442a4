using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Timbres;
using LightTts.Torch;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Speech tokens to mel frames (CosyVoice3: CausalMaskedDiffWithDiT), many utterances in a pass. To be used by one thread.</summary>
/// <remarks>
/// Offline, an utterance is computed in one pass at its end, every frame seeing every other. Streamed, the mask is chunk-causal: a frame sees everything before the end
/// of its own chunk, counted from the prompt's start, so what is computed stays as it is; the last pass keeps that mask, too, and sees zeros beyond the end.
/// </remarks>
internal sealed class FlowModel : IDisposable
{
    private const int MaxPassFrames = 1 << 14;
    private const int MaxSchedules = 8;

    private readonly FlowConfig _config;
    private readonly TorchDevice _device;
    private readonly FlowOptions _options;
    private readonly PreLookahead _encoder;
    private readonly Linear _speaker;
    private readonly DiTWeights _weights;
    private readonly Tensor _noise;
    private readonly FlowPrefixCache _prefixes;
    private readonly Dictionary<int, DiTSchedule> _schedules = [];
    private long _cacheBytes;
    private int _solving; // passes under way: more than one in an interlude, and then the others' schedules are in use

    private FlowModel(WeightReader reader, FlowConfig config, DiTConfig dit, FlowOptions options)
    {
        _config = config;
        _device = reader.Device;
        _options = options;
        _encoder = new PreLookahead(reader, config);
        _speaker = new Linear(
            reader.Take("spk_embed_affine_layer.weight", config.MelBands, config.SpeakerEmbedding), reader.Take("spk_embed_affine_layer.bias", config.MelBands),
            ScalarType.Float32);
        _weights = DiTWeights.Load(reader, dit, config.MelBands);
        _noise = FlowNoise.Create(config.MelBands, _device.Device);
        _prefixes = new FlowPrefixCache(options.PrefixBudget);
        Parameters = reader.Parameters;
        Solver = new FlowSolver(new DiTEstimator(_weights), _noise, config.CfgRate);
    }

    /// <summary>Numbers in the flow's weights.</summary>
    public long Parameters { get; }

    public int FramesPerToken => _config.TokenMelRatio;

    /// <summary>Tokens in a chunk of the chunk-causal mask.</summary>
    public int ChunkTokens => _config.ChunkFrames / _config.TokenMelRatio;

    /// <summary>Tokens that must follow a token before its frames can be computed.</summary>
    public int LookaheadTokens => _config.PreLookaheadTokens;

    /// <summary>The most frames of one utterance, its prompt included.</summary>
    public int MaxFrames => FlowNoise.Frames;

    /// <summary>Bytes that all states' caches take now.</summary>
    public long CacheBytes => Interlocked.Read(ref _cacheBytes);

    /// <summary>Bytes that precomputed prompts take now.</summary>
    public long PrefixBytes => _prefixes.Bytes;

    /// <summary>Frames computed since loading, prompts and prefixes included; a frame counts once however many solver steps it takes.</summary>
    public long FramesComputed { get; private set; }

    internal FlowSolver Solver { get; }

    internal DiTWeights Estimator => _weights;

    internal PreLookahead Encoder => _encoder;

    /// <summary>Reads the flow's weights.</summary>
    /// <param name="archive">flow.pt.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="device">Where it runs; its compute type is that of the large products.</param>
    /// <param name="options">Limits of what it keeps.</param>
    /// <exception cref="TtsModelLoadException">The weights do not fit the configuration.</exception>
    public static FlowModel Load(ITensorArchive archive, FlowConfig config, TorchDevice device, FlowOptions? options = null)
    {
        if (config.Dit is not { } dit)
            throw new TtsModelLoadException($"'{archive.Path}': the flow's estimator is not CosyVoice3's DiT: CosyVoice2's flow is not supported yet. Use a CosyVoice3 model directory.");
        if (config.InputSize != config.MelBands || config.ChunkFrames % config.TokenMelRatio != 0)
            throw new TtsModelLoadException(
                $"'{archive.Path}': the flow's configuration does not fit together: input_size {config.InputSize} must equal the {config.MelBands} mel bands, and a chunk of "
                + $"{config.ChunkFrames} frames must be a multiple of token_mel_ratio {config.TokenMelRatio}. Check the yaml file beside it.");
        using var inference = inference_mode();
        var reader = new WeightReader(archive, device);
        var flow = new FlowModel(reader, config, dit, options ?? new FlowOptions());
        try
        {
            reader.Complete();
            return flow;
        }
        catch
        {
            flow.Dispose();
            throw;
        }
    }

    /// <summary>Starts an utterance. The first streamed one of a voice computes the part of its prompt that later ones share.</summary>
    /// <param name="timbre">The voice; prefixes are shared between states made from the same object.</param>
    /// <param name="streaming">Chunk-causal in pieces, or offline in one pass.</param>
    /// <param name="steps">Solver steps, at least 1.</param>
    /// <param name="policy">How a streamed utterance gets at its past.</param>
    /// <param name="sharePrefix">Whether to use and keep a precomputed prompt.</param>
    public FlowState CreateState(TimbreFeatures timbre, bool streaming, int steps, FlowCachePolicy policy = FlowCachePolicy.Cached, bool sharePrefix = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        FlowPrefix? prefix = null;
        if (streaming && sharePrefix && policy == FlowCachePolicy.Cached && timbre.SpeechTokens.Length >= ChunkTokens + LookaheadTokens)
            prefix = _prefixes.Find(timbre, steps) ?? CreatePrefix(timbre, steps);
        var speaker = _weights.InputSpeaker.Apply(Speaker(timbre.Embedding))[0].clone();
        var mel = TensorData.FromSingles(timbre.Mel, _device.Device, timbre.MelFrames, _config.MelBands);
        return new FlowState(this, timbre, streaming, steps, policy, speaker.DetachFromDisposeScope(), mel.DetachFromDisposeScope(), prefix);
    }

    /// <summary>Computes what is ready of every row in one pass; results are written into the rows. A row that fails gets its error, the others are not affected.</summary>
    /// <param name="rows">Rows of different states.</param>
    /// <param name="interlude">Called between solver steps; may run rows of other states. Must not throw.</param>
    /// <param name="lanes">Where rows are solved side by side; null: as one.</param>
    public void Run(IReadOnlyList<FlowRow> rows, Action? interlude = null, TorchLanes? lanes = null)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var passes = new List<FlowPass>(rows.Count);
        foreach (var row in rows)
            Guard(row, () =>
            {
                if (Plan(row) is { } pass)
                    passes.Add(pass);
            });
        foreach (var group in passes.GroupBy(pass => pass.Row.State.Steps))
        {
            if (lanes is null)
                foreach (var part in Split(group))
                    Run(part, group.Key, interlude);
            else
                foreach (var part in group.Chunk(lanes.Count))
                    Run(part, group.Key, interlude, lanes);
        }
    }

    /// <summary>The speaker embedding as the estimator takes it: normalised, then projected. [Embedding] -> [1, MelBands]</summary>
    internal Tensor Speaker(float[] embedding) =>
        _speaker.Apply(F.normalize(TensorData.FromSingles(embedding, _device.Device, 1, embedding.Length), dim: 1));

    /// <summary>Encodings at frame rate. [n, Input] -> [FramesPerToken n, Input]</summary>
    internal Tensor Stretch(Tensor encoded) => encoded.repeat_interleave(FramesPerToken, 0);

    /// <summary>The schedule of that many steps, made at its first use.</summary>
    internal DiTSchedule Schedule(int steps)
    {
        if (_schedules.TryGetValue(steps, out var schedule))
            return schedule;
        if (_schedules.Count >= MaxSchedules && _solving <= 1)
            DisposeSchedules();
        return _schedules[steps] = new DiTSchedule(_weights, steps);
    }

    internal FlowCache NewCache(int steps) => new(steps, _weights.Config, _device.Compute, _device.Device);

    internal void Account(long bytes) => Interlocked.Add(ref _cacheBytes, bytes);

    public void Dispose()
    {
        _prefixes.Dispose();
        DisposeSchedules();
        _encoder.Dispose();
        _speaker.Dispose();
        _weights.Dispose();
        _noise.Dispose();
    }

    /// <summary>Computes and stores a voice's prefix; null where the memory budget leaves no room for it.</summary>
    private FlowPrefix? CreatePrefix(TimbreFeatures timbre, int steps)
    {
        using var state = CreateState(timbre, streaming: true, steps, sharePrefix: false);
        var row = new FlowRow { State = state, Tokens = default, Final = false };
        Run([row]);
        if (row.Error is not null)
            throw new TtsSynthesisException($"The voice's prompt could not be prepared: {row.Error.Message}", row.Error);
        if (state.Cache is null)
            return null;
        var prefix = state.DetachPrefix().Hold(); // one hold for the cache, one for the caller
        _prefixes.Add(timbre, steps, prefix);
        return prefix;
    }

    private FlowPass? Plan(FlowRow row)
    {
        var state = row.State;
        ObjectDisposedException.ThrowIf(state.Finished, state);
        state.Append(row.Tokens.Span);
        var frames = state.Tokens.Length * FramesPerToken;
        if (frames > MaxFrames)
            throw new TtsRequestException(
                $"An utterance may have {MaxFrames} mel frames ({MaxFrames / 50} s), the voice's reference audio included; this one has {frames}. Split the text into shorter pieces.");
        var end = state.PassEnd(row.Final);
        if (end == state.DoneTokens)
        {
            if (row.Final)
                state.Advance(end, 0, null, final: true);
            return null;
        }
        if (state.Cache is not null && ExceedsBudget(state, end))
            state.GiveUpCaches();
        var start = state.Cache is null ? 0 : state.DoneTokens;
        var tokens = state.Tokens[start..(row.Final ? end : end + LookaheadTokens)];
        var (encoded, tail) = _encoder.Encode(_encoder.Embed(tokens), row.Final, start == 0 ? null : state.Tail);
        return new FlowPass(row, end, tail, new FlowSegment
        {
            Start = start * FramesPerToken,
            Count = (end - start) * FramesPerToken,
            Chunk = state.Streaming ? _config.ChunkFrames : 0,
            Mu = Stretch(encoded),
            Condition = Condition(state, start * FramesPerToken, end * FramesPerToken),
            Speaker = state.Speaker,
            Cache = state.Cache,
            Shared = state.Shared,
            Last = row.Final,
        });
    }

    /// <summary>The prompt's mel where frames lie in it, zeros behind it.</summary>
    private Tensor Condition(FlowState state, int start, int end)
    {
        var condition = zeros([end - start, _config.MelBands], ScalarType.Float32, _device.Device);
        var inside = Math.Min(end, state.PromptFrames) - start;
        if (inside > 0)
            condition.narrow(0, 0, inside).copy_(state.PromptMel.narrow(0, start, inside));
        return condition;
    }

    private bool ExceedsBudget(FlowState state, int end)
    {
        var perFrame = 4L * state.Steps * _weights.Config.Depth * _weights.Config.Heads * _weights.Config.HeadDim * (_device.Compute == ScalarType.Float32 ? 4 : 2);
        return CacheBytes - state.CacheBytes + end * FramesPerToken * perFrame > _options.CacheBudget;
    }

    private static IEnumerable<List<FlowPass>> Split(IEnumerable<FlowPass> passes)
    {
        List<FlowPass> part = [];
        var frames = 0;
        foreach (var pass in passes)
        {
            if (part.Count > 0 && frames + pass.Segment.Count > MaxPassFrames)
            {
                yield return part;
                (part, frames) = ([], 0);
            }
            part.Add(pass);
            frames += pass.Segment.Count;
        }
        if (part.Count > 0)
            yield return part;
    }

    private void Run(List<FlowPass> passes, int steps, Action? interlude)
    {
        using var scope = NewDisposeScope();
        Tensor mel;
        try
        {
            _solving++;
            mel = Solver.Solve([.. passes.Select(pass => pass.Segment)], Schedule(steps), interlude);
        }
        catch (Exception) when (passes.Count > 1)
        {
            // One of them may be to blame: states change only when a pass succeeds, so each can be tried alone.
            foreach (var pass in passes)
                Run([pass], steps, interlude);
            return;
        }
        catch (Exception e)
        {
            passes[0].Row.Error = e;
            return;
        }
        finally
        {
            _solving--;
        }
        var at = 0;
        foreach (var pass in passes)
        {
            var frames = mel.narrow(0, at, pass.Segment.Count);
            at += pass.Segment.Count;
            Guard(pass.Row, () => Finish(pass, frames));
        }
    }

    /// <summary>Each row by itself, at the same time as the others: they share nothing but weights.</summary>
    private void Run(FlowPass[] passes, int steps, Action? interlude, TorchLanes lanes)
    {
        _solving++;
        try
        {
            var schedule = Schedule(steps);
            var mels = new Tensor?[passes.Length];
            lanes.Run([.. passes.Select((pass, i) => (Action)(() =>
                Guard(pass.Row, () => mels[i] = Solver.Solve([pass.Segment], schedule, i == 0 ? interlude : null).DetachFromDisposeScope())))], interlude);
            for (var i = 0; i < passes.Length; i++)
            {
                using var mel = mels[i];
                if (mel is not null)
                    Guard(passes[i].Row, () => Finish(passes[i], mel));
            }
        }
        finally
        {
            _solving--;
        }
    }

    private void Finish(FlowPass pass, Tensor frames)
    {
        var state = pass.Row.State;
        if (!frames.sum().isfinite().ToBoolean())
            throw new TtsSynthesisException("The flow computed numbers that are not finite. Try ComputePrecision.Float32; if they stay, the weights are damaged.");
        var first = Math.Max(state.PromptFrames, state.DoneTokens * FramesPerToken) - pass.Segment.Start;
        if (first < pass.Segment.Count)
            pass.Row.Mel = frames.narrow(0, first, pass.Segment.Count - first).t().unsqueeze(0).contiguous().DetachFromDisposeScope(); // [n, bands] -> [1, bands, n]
        FramesComputed += pass.Segment.Count;
        state.Advance(pass.EndTokens, pass.Segment.Count, pass.Tail, pass.Row.Final);
    }

    private static void Guard(FlowRow row, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            row.Error = e;
        }
    }

    private void DisposeSchedules()
    {
        foreach (var schedule in _schedules.Values)
            schedule.Dispose();
        _schedules.Clear();
    }

    /// <summary>A row's part of a pass and what its state becomes when the pass succeeds.</summary>
    private sealed record FlowPass(FlowRow Row, int EndTokens, Tensor Tail, FlowSegment Segment);
}
