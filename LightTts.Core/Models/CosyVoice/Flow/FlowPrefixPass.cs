namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Computes the part of a voice's prompt that its utterances share, stores it, and gives it to the state that asked.</summary>
internal sealed class FlowPrefixPass : IDecodePass
{
    private readonly FlowPrefixCache _prefixes;
    private readonly FlowPrefixKey _key;
    private readonly FlowState _asking;
    private readonly FlowRow _row;
    private readonly FlowPass _pass;

    /// <param name="flow">Its model.</param>
    /// <param name="prefixes">Where the result is stored.</param>
    /// <param name="key">Under which key.</param>
    /// <param name="asking">The state that asked.</param>
    public FlowPrefixPass(FlowModel flow, FlowPrefixCache prefixes, FlowPrefixKey key, FlowState asking)
    {
        (_prefixes, _key, _asking) = (prefixes, key, asking);
        // In the name of the one who asks, also where memory is short.
        _row = new FlowRow { State = flow.CreateState(asking.Timbre, streaming: true, asking.Steps), Tokens = default, Final = false };
        _row.State.Deadline = asking.Deadline;
        _pass = flow.Begin([_row]);
    }

    public bool Advance()
    {
        if (_pass.Advance())
            return true;
        if (_row.Error is not null)
            throw new TtsSynthesisException($"The voice's prompt could not be prepared: {_row.Error.Message}", _row.Error);
        // Without caches where the memory budget leaves no room for them.
        if (_row.State.Cache is null)
            return false;
        var prefix = _row.State.DetachPrefix().Hold(); // one hold for the store, one for the state
        _prefixes.Add(_key, prefix);
        _asking.Start(prefix);
        return false;
    }

    public void Dispose()
    {
        _pass.Dispose();
        _row.Mel?.Dispose();
        _row.State.Dispose();
    }
}
