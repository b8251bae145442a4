namespace LightTts.Models.CosyVoice.Flow;

/// <summary>A row's part of a pass, and what its state becomes when the pass succeeds.</summary>
internal sealed record FlowPlan(FlowRow Row, int EndTokens, FlowTail Tail, FlowSegment Segment) : IDisposable
{
    private bool _kept;

    /// <summary>The state's cache stays while the plan lives.</summary>
    public FlowPlan Begin()
    {
        Row.State.IsInPass = true;
        return this;
    }

    /// <summary>The tail is the state's now.</summary>
    public FlowTail TakeTail()
    {
        _kept = true;
        return Tail;
    }

    public void Dispose()
    {
        Row.State.IsInPass = false;
        Segment.Mu.Dispose();
        Segment.Condition.Dispose();
        if (!_kept)
            Tail.Dispose();
    }
}
