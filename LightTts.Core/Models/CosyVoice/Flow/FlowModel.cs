using LightTts.Models.CosyVoice.Files;
using LightTts.Timbres;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Speech tokens to mel frames by conditional flow matching, many utterances in
/// a pass: an encoder, a velocity estimator, and the solver between them.</summary>
/// <remarks>
/// Offline, an utterance is computed in one pass at its end, every frame seeing every
/// other. Streamed, the mask is chunk-causal: a frame sees everything before the end
/// of its own chunk, counted from the prompt's start, so what is computed stays as it is;
/// the last pass keeps that mask, too, and sees zeros beyond the end.
/// To be used by one thread; passes that are open may be advanced side by side.
/// </remarks>
internal sealed class FlowModel : IDisposable
{
    private readonly FlowConfig _config;
    private readonly TorchDevice _device;
    private readonly Linear _speaker;
    private readonly Tensor _noise;
    private readonly FlowPlanner _planner;
    private readonly FlowPrefixCache _prefixes;
    private long _cacheBytes;
    private long _framesComputed;

    private FlowModel(WeightReader reader, FlowConfig config, FlowParts parts, FlowOptions options)
    {
        _config = config;
        _device = reader.Device;
        Encoder = parts.Encoder(reader, config);
        _speaker = Linear.Create(
            reader.Take("spk_embed_affine_layer.weight", config.MelBands, config.SpeakerEmbedding),
            reader.Take("spk_embed_affine_layer.bias", config.MelBands),
            ScalarType.Float32);
        Estimator = parts.Estimator(reader, config, options);
        _noise = FlowNoise.Create(config.MelBands, _device.Device);
        _planner = new FlowPlanner(this, Encoder, config.ChunkFrames, config.MelBands, _device.Device);
        _prefixes = new FlowPrefixCache(() => options.PrefixBudget ?? Estimator.Pages!.Capacity * Estimator.Pages.PageBytes / 2);
        Memory = new FlowMemory(Estimator.Pages, _prefixes);
        Parameters = reader.Parameters;
    }

    /// <summary>Numbers in the flow's weights.</summary>
    public long Parameters { get; }

    public int FramesPerToken => Encoder.FramesPerToken;

    /// <summary>Tokens in a chunk of the chunk-causal mask.</summary>
    public int ChunkTokens => _config.ChunkFrames / _config.TokenMelRatio;

    /// <summary>Tokens that must follow a token before its frames can be computed.</summary>
    public int LookaheadTokens => Encoder.Lookahead;

    /// <summary>The most frames of one utterance, its prompt included.</summary>
    public int MaxFrames => FlowNoise.Frames;

    /// <summary>Bytes that all states' caches take now.</summary>
    public long CacheBytes => Interlocked.Read(ref _cacheBytes);

    /// <summary>Bytes that precomputed prompts take now.</summary>
    public long PrefixBytes => _prefixes.Bytes;

    /// <summary>Memory of both.</summary>
    public DecodeMemory MemoryInUse => Estimator.Pages is { } pages
        ? new(pages.Bytes, pages.InUse * pages.PageBytes, PrefixBytes, pages.Capacity * pages.PageBytes) : default;

    /// <summary>Frames computed since loading, prompts and prefixes included; a frame counts once however many solver steps it takes.</summary>
    public long FramesComputed => Interlocked.Read(ref _framesComputed);

    internal FlowMemory Memory { get; }

    /// <summary>Whether streamed utterances can keep their past.</summary>
    internal bool KeepsPast => Estimator.KeepsPast;

    internal IFlowEncoder Encoder { get; }

    internal IVelocityEstimator Estimator { get; private set; }

    /// <summary>Reads the flow's weights.</summary>
    /// <param name="archive">flow.pt.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="parts">What it is made of.</param>
    /// <param name="device">Where it runs; its compute type is that of the large products.</param>
    /// <param name="options">Limits of what it keeps.</param>
    /// <param name="record">Told what was taken.</param>
    /// <exception cref="TtsModelLoadException">The weights do not fit the configuration.</exception>
    public static FlowModel Load(ITensorArchive archive, FlowConfig config, FlowParts parts, TorchDevice device, FlowOptions? options = null,
        ProductRecord? record = null)
    {
        if (config.ChunkFrames % config.TokenMelRatio != 0)
            throw new TtsModelLoadException(
                $"'{archive.Path}': the flow's configuration does not fit together: a chunk of {config.ChunkFrames} "
                + $"frames must be a multiple of token_mel_ratio {config.TokenMelRatio}. Check the yaml file beside it.");
        using var inference = inference_mode();
        var reader = new WeightReader(archive, device, record: record);
        var flow = new FlowModel(reader, config, parts, options ?? new FlowOptions());
        try
        {
            reader.Complete();
            if (options?.Over is { } over)
                flow.Estimator = over(flow.Estimator, archive, device.Device);
            return flow;
        }
        catch
        {
            flow.Dispose();
            throw;
        }
    }

    /// <summary>Takes the memory of the caches where it is taken at once; when everything else has been loaded.</summary>
    /// <exception cref="TtsBackendException">The device has too little of it.</exception>
    public void AllocateCaches() => Estimator.Pages?.Allocate();

    /// <summary>Captures what can be captured, on the thread that runs the passes; after <see cref="AllocateCaches"/>.</summary>
    /// <param name="maxRows">Rows of a pass.</param>
    public void Prepare(int maxRows) => Estimator.Prepare(maxRows);

    /// <summary>Starts an utterance.</summary>
    /// <param name="timbre">The voice.</param>
    /// <param name="streaming">Chunk-causal in pieces, or offline in one pass.</param>
    /// <param name="steps">Solver steps, at least 1.</param>
    /// <param name="policy">How a streamed utterance gets at its past.</param>
    public FlowState CreateState(TimbreFeatures timbre, bool streaming, int steps, FlowCachePolicy policy = FlowCachePolicy.Cached)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var speaker = Speaker(timbre.Embedding);
        var mel = TensorData.FromSingles(timbre.Mel, _device.Device, timbre.MelFrames, _config.MelBands);
        return new FlowState(this, timbre, streaming, steps, policy, speaker.DetachFromDisposeScope(), mel.DetachFromDisposeScope());
    }

    /// <summary>Lets an utterance begin behind the part of its voice's prompt that streamed utterances share.</summary>
    /// <param name="state">A state without passes.</param>
    /// <returns>False where that part is still to be computed; true where it begins behind it, or there is none.</returns>
    public bool TryStartBehindPrompt(FlowState state)
    {
        if (state.Policy != FlowCachePolicy.Cached || !PromptTokensShared(state))
            return true;
        if (_prefixes.Find(FlowPrefixKey.Of(state.Timbre, state.Steps)) is not { } prefix)
            return false;
        state.Start(prefix);
        return true;
    }

    /// <summary>Opens the pass that computes it; the state begins behind it when the pass is done.</summary>
    /// <returns>Null where nothing is to be computed.</returns>
    public IDecodePass? BeginPrompt(FlowState state) =>
        TryStartBehindPrompt(state) ? null : new FlowPrefixPass(this, _prefixes, FlowPrefixKey.Of(state.Timbre, state.Steps), state);

    /// <summary>Opens a pass over what is ready of every row; results are written into
    /// the rows. A row that fails gets its error, the others are not affected.</summary>
    /// <param name="rows">Rows of different states.</param>
    public FlowPass Begin(IReadOnlyList<FlowRow> rows) => new(this, _planner, rows);

    public void Dispose()
    {
        _prefixes.Dispose();
        Encoder.Dispose();
        _speaker.Dispose();
        Estimator.Dispose();
        _noise.Dispose();
    }

    /// <summary>The speaker embedding as the estimator takes it: normalised, then projected. [Embedding] -> [1, MelBands]</summary>
    internal Tensor Speaker(float[] embedding) =>
        _speaker.Apply(F.normalize(TensorData.FromSingles(embedding, _device.Device, 1, embedding.Length), dim: 1));

    internal FlowSolve BeginSolve(IReadOnlyList<FlowSegment> segments, int steps, Action<int, Tensor, Tensor>? observe = null) =>
        new(Estimator, _noise, _config.CfgRate, segments, steps) { Observe = observe };

    internal IFlowCache? NewCache(int steps) => Estimator.CreateCache(steps);

    /// <summary>Gives an utterance that lost its cache another, where there is room.</summary>
    /// <param name="state">One without.</param>
    /// <param name="end">Tokens from the prompt's first that its next pass reaches.</param>
    internal void TryRegain(FlowState state, int end)
    {
        var prefix = PromptTokensShared(state) ? _prefixes.Find(FlowPrefixKey.Of(state.Timbre, state.Steps)) : null;
        var cache = NewCache(state.Steps)!;
        if (!Memory.TryRegain(cache, end * FramesPerToken, prefix?.Cache, _config.ChunkFrames))
        {
            cache.Dispose();
            prefix?.Release();
            return;
        }
        state.TakeCache(cache, prefix);
        Memory.Enter(state);
    }

    private bool PromptTokensShared(FlowState state) => state.PromptTokens >= ChunkTokens + LookaheadTokens;

    internal void Account(long bytes) => Interlocked.Add(ref _cacheBytes, bytes);

    internal void CountFrames(int frames) => Interlocked.Add(ref _framesComputed, frames);
}
