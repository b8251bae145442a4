namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Shares the pages out among the utterances: when there are too few, voices' prompts that nobody uses go first, then the caches of
/// those whose listeners have the most audio ahead of them.</summary>
/// <remarks>To be used by the decode thread, but for <see cref="Leave"/>.</remarks>
internal sealed class FlowMemory(FlowPagePool? pool, FlowPrefixCache prefixes)
{
    private readonly Lock _lock = new();
    private readonly List<FlowState> _states = []; // those with a cache

    /// <summary>Makes room for an utterance's frames in its cache, at the cost of those that can wait longer.</summary>
    /// <param name="state">One with a cache.</param>
    /// <param name="frames">Frames from its first.</param>
    /// <returns>False where it would take the pages of somebody whose listener runs dry earlier.</returns>
    public bool TryReserve(FlowState state, int frames)
    {
        var cache = state.Cache!;
        while (!cache.TryReserve(frames, state.Shared))
        {
            if (prefixes.TryDropIdle())
                continue;
            if (LastToRunDry(state) is not { } other)
                return false;
            other.GiveUpCaches();
        }
        Enter(state);
        return true;
    }

    /// <summary>Room for an utterance that lost its cache, where there is some that nobody uses, and for a chunk more, so that
    /// it does not lose it again at once.</summary>
    /// <param name="cache">An empty one.</param>
    /// <param name="frames">Frames from the utterance's first.</param>
    /// <param name="shared">Whose pages it can begin with.</param>
    /// <param name="margin">Frames of a chunk.</param>
    public bool TryRegain(IFlowCache cache, int frames, IFlowCache? shared, int margin) =>
        cache.PagesFor(frames + margin, shared) <= pool!.Available && cache.TryReserve(frames, shared);

    /// <summary>An utterance has a cache.</summary>
    public void Enter(FlowState state)
    {
        lock (_lock)
            if (!_states.Contains(state))
                _states.Add(state);
    }

    /// <summary>An utterance has none any more; on any thread.</summary>
    public void Leave(FlowState state)
    {
        lock (_lock)
            _states.Remove(state);
    }

    private FlowState? LastToRunDry(FlowState asking)
    {
        FlowState? last = null;
        lock (_lock)
            foreach (var state in _states)
                if (!state.IsInPass && state.Cache?.OwnPages > 0 && state.Deadline > (last ?? asking).Deadline)
                    last = state;
        return last;
    }
}
