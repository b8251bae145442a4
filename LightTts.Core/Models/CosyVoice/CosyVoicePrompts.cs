using LightTts.Models.CosyVoice.Flow;

namespace LightTts.Models.CosyVoice;

/// <summary>Computes the part of a voice's prompt that utterances share, for one flow state after the other.</summary>
internal sealed class CosyVoicePrompts : IDecodePass
{
    private readonly FlowModel _flow;
    private readonly Queue<FlowState> _waiting;
    private IDecodePass? _open;

    private CosyVoicePrompts(FlowModel flow, IEnumerable<FlowState> states)
    {
        (_flow, _waiting) = (flow, new Queue<FlowState>(states));
        OpenNext();
    }

    /// <summary>Begins with the first that needs it.</summary>
    /// <returns>Null where it was computed for all of them in the meantime: they begin behind it.</returns>
    public static CosyVoicePrompts? TryBegin(FlowModel flow, IEnumerable<FlowState> states) =>
        new CosyVoicePrompts(flow, states) is { _open: not null } passes ? passes : null;

    public bool Advance()
    {
        if (_open is null || _open.Advance())
            return _open is not null;
        _open.Dispose();
        OpenNext();
        return _open is not null;
    }

    public void Dispose() => _open?.Dispose();

    private void OpenNext()
    {
        _open = null;
        while (_open is null && _waiting.TryDequeue(out var state))
            _open = _flow.BeginPrompt(state);
    }
}
