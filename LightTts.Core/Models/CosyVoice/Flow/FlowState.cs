using System.Runtime.InteropServices;
using LightTts.Timbres;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>What an utterance carries between flow passes: its tokens, the caches of its finished frames, the tail of the token encoder.</summary>
internal sealed class FlowState : IDisposable
{
    private readonly List<int> _tokens;
    private readonly FlowModel _flow;
    private readonly FlowCachePolicy _wanted;
    private FlowPrefix? _prefix;
    private FlowTail? _tail;
    private bool _disposed;

    internal FlowState(FlowModel flow, TimbreFeatures timbre, bool streaming, int steps, FlowCachePolicy policy, Tensor speaker, Tensor promptMel)
    {
        _flow = flow;
        _tokens = [.. timbre.SpeechTokens];
        Timbre = timbre;
        Streaming = streaming;
        Steps = steps;
        Policy = _wanted = streaming && flow.KeepsPast ? policy : FlowCachePolicy.Recompute;
        Speaker = speaker;
        PromptMel = promptMel;
        PromptFrames = timbre.MelFrames;
        PromptTokens = timbre.SpeechTokens.Length;
        Hop = flow.ChunkTokens;
        if (Policy == FlowCachePolicy.Cached)
            Cache = flow.NewCache(steps);
    }

    public bool Streaming { get; }

    public int Steps { get; }

    /// <summary>How it gets at its past now: one that lost its cache may get another.</summary>
    public FlowCachePolicy Policy { get; private set; }

    /// <summary>When its listener runs out of audio, on a clock that all states share.</summary>
    public TimeSpan Deadline { get; set; }

    /// <summary>Frames that this utterance's passes have computed, the prompt's and
    /// repetitions included (a shared prefix is not among them).</summary>
    public long FramesComputed { get; private set; }

    /// <summary>Bytes of cache that the state holds now, without a prefix shared with other utterances.</summary>
    public long CacheBytes { get; private set; }

    /// <summary>Tokens still needed before a pass that is not final yields frames; int.MaxValue without streaming.</summary>
    public int TokensWanted => TokensFor(1);

    internal TimbreFeatures Timbre { get; }

    internal Tensor Speaker { get; }

    internal Tensor PromptMel { get; }

    internal int PromptFrames { get; }

    internal int PromptTokens { get; }

    /// <summary>Tokens from the prompt's first whose frames are computed.</summary>
    internal int DoneTokens { get; private set; }

    /// <summary>Tokens from the prompt's first whose frames are kept.</summary>
    internal int KeptTokens { get; private set; }

    /// <summary>Whether a pass uses its cache.</summary>
    internal bool IsInPass { get; set; }

    /// <summary>Whether it would keep its past if there were room.</summary>
    internal bool WantsCache => _wanted == FlowCachePolicy.Cached && Cache is null;

    internal bool Finished { get; private set; }

    internal IFlowCache? Cache { get; private set; }

    internal IFlowCache? Shared => _prefix?.Cache;

    internal FlowTail? Tail => _tail ?? _prefix?.Tail;

    internal ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Tokens that a pass without caches waits for beyond the last one's.</summary>
    private int Hop { get; set; }

    /// <summary>Tokens still needed before a pass that is not final yields at least so many frames; int.MaxValue without streaming.</summary>
    /// <param name="frames">At least 1.</param>
    public int TokensFor(int frames)
    {
        if (!Streaming)
            return int.MaxValue;
        var wanted = Math.Max(DoneTokens * _flow.FramesPerToken, PromptFrames) + frames;
        var tokens = (wanted + _flow.FramesPerToken - 1) / _flow.FramesPerToken;
        if (Policy == FlowCachePolicy.Recompute)
            tokens = Math.Max(tokens, DoneTokens + Hop);
        tokens = (tokens + _flow.ChunkTokens - 1) / _flow.ChunkTokens * _flow.ChunkTokens;
        return Math.Max(0, tokens + _flow.LookaheadTokens - _tokens.Count);
    }

    /// <summary>Frees everything that the state holds. More than once is harmless.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Finished = true;
        ReleaseCaches();
        Speaker.Dispose();
        PromptMel.Dispose();
        _tokens.Clear();
    }

    /// <summary>Begins behind a precomputed prompt, of which this takes a hold over; before the first pass.</summary>
    internal void Start(FlowPrefix prefix)
    {
        _prefix = prefix;
        DoneTokens = KeptTokens = prefix.Tokens;
    }

    internal void Append(ReadOnlySpan<int> tokens) => _tokens.AddRange(tokens);

    /// <summary>Where the next pass ends, in tokens from the prompt's first; <see cref="DoneTokens"/> where there is nothing to do yet.</summary>
    internal int PassEnd(bool final)
    {
        if (final)
            return _tokens.Count > PromptTokens ? _tokens.Count : DoneTokens;
        if (!Streaming || (Policy == FlowCachePolicy.Recompute && TokensWanted > 0))
            return DoneTokens;
        return Math.Max(DoneTokens, (_tokens.Count - _flow.LookaheadTokens) / _flow.ChunkTokens * _flow.ChunkTokens);
    }

    /// <summary>Goes on without caches, from the next pass on; not in one.</summary>
    internal void GiveUpCaches()
    {
        ReleaseCaches();
        Policy = FlowCachePolicy.Recompute;
    }

    /// <summary>Keeps its past again; the next pass computes what <paramref name="prefix"/> does not hold once more.</summary>
    /// <param name="cache">With room for the pass's frames.</param>
    /// <param name="prefix">Its voice's prompt, of which this takes a hold over; null: from the first frame.</param>
    internal void TakeCache(IFlowCache cache, FlowPrefix? prefix)
    {
        (Cache, _prefix, KeptTokens, Policy) = (cache, prefix, prefix?.Tokens ?? 0, FlowCachePolicy.Cached);
        Account();
    }

    /// <summary>A pass succeeded.</summary>
    internal void Advance(int doneTokens, int frames, FlowTail? tail, bool final)
    {
        DoneTokens = doneTokens;
        FramesComputed += frames;
        Hop = Math.Min(2 * Hop, 4 * _flow.ChunkTokens);
        Finished = final;
        if (final || Policy == FlowCachePolicy.Recompute)
        {
            ReleaseCaches();
            tail?.Dispose();
            return;
        }
        KeptTokens = doneTokens;
        _tail?.Dispose();
        _tail = tail;
        Account();
    }

    /// <summary>Hands the caches over as a prefix for other utterances; the state is of no use afterwards.</summary>
    internal FlowPrefix DetachPrefix()
    {
        var prefix = new FlowPrefix(Cache!, _tail, DoneTokens);
        Cache = null;
        _tail = null;
        _flow.Memory.Leave(this);
        Account();
        return prefix;
    }

    private void ReleaseCaches()
    {
        _flow.Memory.Leave(this);
        KeptTokens = 0;
        Cache?.Dispose();
        Cache = null;
        _tail?.Dispose();
        _tail = null;
        _prefix?.Release();
        _prefix = null;
        Account();
    }

    private void Account()
    {
        var bytes = (Cache?.Bytes ?? 0) + (_tail?.Bytes ?? 0);
        _flow.Account(bytes - CacheBytes);
        CacheBytes = bytes;
    }
}
