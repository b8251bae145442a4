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

    /// <summary>Empties the row before a pass.</summary>
    /// <param name="finished">Whether the utterance's last frames were handed over before.</param>
    /// <param name="bands">Bands of the mel that the vocoder takes.</param>
    /// <returns>Whether the pass can take it; otherwise its error is set.</returns>
    public bool Begin(bool finished, int bands)
    {
        Samples = [];
        if (finished)
            Error = new InvalidOperationException("The utterance is over: its last frames were handed over before, or its state is disposed.");
        else if (Mel.Dimensions != 3 || Mel.shape[0] != 1 || Mel.shape[1] != bands)
            Error = new ArgumentException($"The mel must be [1, {bands}, frames], not [{string.Join(", ", Mel.shape)}].");
        return Error is null;
    }
}
