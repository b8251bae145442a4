using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>One utterance's frames in a pass of the solver.</summary>
internal sealed class FlowSegment
{
    /// <summary>First frame, counted from the prompt's first; all frames before it are in <see cref="Cache"/>.</summary>
    public required int Start { get; init; }

    /// <summary>Frames in this pass.</summary>
    public required int Count { get; init; }

    /// <summary>Frames in a chunk of the chunk-causal mask; 0: every frame sees every other (then <see cref="Start"/> is 0).</summary>
    public required int Chunk { get; init; }

    /// <summary>The frames' encoding, [Count, MelBands].</summary>
    public required Tensor Mu { get; init; }

    /// <summary>The prompt's mel where the frames lie in it, zeros behind it: [Count, MelBands].</summary>
    public required Tensor Condition { get; init; }

    /// <summary>The speaker's embedding as the estimator takes it, [1, MelBands].</summary>
    public required Tensor Speaker { get; init; }

    /// <summary>What the estimator keeps of the frames before and, after the pass, of these; null where nothing is kept.</summary>
    public IFlowCache? Cache { get; init; }

    /// <summary>Where the frames before come from while <see cref="Cache"/> is empty.</summary>
    public IFlowCache? Shared { get; init; }

    /// <summary>Whether no pass will follow.</summary>
    public bool Last { get; init; }
}
