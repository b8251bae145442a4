using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>One utterance's part of a vocoder pass.</summary>
internal sealed class VocoderRow
{
    public required IVocoderState State { get; init; }

    /// <summary>The frames that were not handed over before, [1, bands, frames]; frames may be 0. Stays the caller's.</summary>
    public required Tensor Mel { get; init; }

    /// <summary>Whether these are the last.</summary>
    public required bool Final { get; init; }

    /// <summary>The samples that became ready, set by the pass; may be empty.</summary>
    public float[] Samples { get; set; } = [];

    /// <summary>Why this row failed, set by the pass. Its state cannot be used any more.</summary>
    public Exception? Error { get; set; }
}
