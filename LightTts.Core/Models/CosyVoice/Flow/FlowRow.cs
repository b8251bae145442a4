using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>One utterance's part of a flow pass.</summary>
internal sealed class FlowRow
{
    public required FlowState State { get; init; }

    /// <summary>Speech tokens that were not handed over before.</summary>
    public required ReadOnlyMemory<int> Tokens { get; init; }

    /// <summary>Whether these are the last.</summary>
    public required bool Final { get; init; }

    /// <summary>The frames that became ready, [1, MelBands, n] float32, without the prompt's; null where there are none. A part of what the pass
    /// computed, so that a band's frames lie side by side, but not all bands. Set by the pass; the caller disposes it.</summary>
    public Tensor? Mel { get; set; }

    /// <summary>Why this row failed, set by the pass; null where it did not. A failed row's state is good for nothing but disposal.</summary>
    public Exception? Error { get; set; }

    /// <summary>Does something for it; what goes wrong is its error.</summary>
    public void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            Error = e;
        }
    }
}
