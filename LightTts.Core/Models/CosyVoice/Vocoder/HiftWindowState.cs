using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>What one utterance carries between passes over windows: the last frames of its mel, and their pitch.</summary>
/// <remarks>Its size does not depend on the utterance's length. Owned by one request; disposing frees all of it.</remarks>
internal sealed class HiftWindowState : IVocoderState
{
    /// <summary>Frames of the mel that are still needed, [bands, n]; null before the first.</summary>
    public Tensor? Mel { get; private set; }

    /// <summary>Frames in <see cref="Mel"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Frequencies and summed turns of the first of these, as far as they are determined: [1 + harmonics, m] in 64 bits.</summary>
    public Tensor? Known { get; private set; }

    /// <summary>Frames in <see cref="Known"/>.</summary>
    public int KnownLength { get; private set; }

    /// <summary>The utterance's frame that <see cref="Mel"/> begins with.</summary>
    public long Start { get; private set; }

    /// <summary>Whether the last frames were handed over.</summary>
    public bool Finished { get; set; }

    /// <summary>Mel frames handed over so far.</summary>
    public long Frames => Start + Length;

    /// <summary>Samples handed out so far.</summary>
    public long Emitted { get; set; }

    public long CacheBytes => (Mel is null ? 0 : Mel.numel() * Mel.element_size()) + (Known is null ? 0 : Known.numel() * Known.element_size());

    /// <summary>Takes new frames, [bands, n].</summary>
    public void Append(Tensor frames)
    {
        using var before = Mel;
        using var sideBySide = frames.contiguous();
        Mel = (before is null ? sideBySide.clone() : cat([before, sideBySide], 1)).DetachFromDisposeScope();
        Length = (int)Mel.shape[1];
    }

    /// <summary>Lets go of the first frames.</summary>
    /// <param name="frames">How many.</param>
    /// <param name="known">What is known of those behind them; taken over.</param>
    /// <param name="knownLength">Of how many.</param>
    public void Trim(int frames, Tensor known, int knownLength)
    {
        using (Known)
            (Known, KnownLength) = (known.DetachFromDisposeScope(), knownLength);
        if (frames == 0)
            return;
        using var before = Mel!;
        using var rest = before.narrow(1, frames, Length - frames);
        Mel = rest.clone().DetachFromDisposeScope();
        (Length, Start) = (Length - frames, Start + frames);
    }

    public void Dispose()
    {
        Clear();
        Finished = true;
    }

    public void Clear()
    {
        Mel?.Dispose();
        Known?.Dispose();
        (Mel, Known, Length, KnownLength) = (null, null, 0, 0);
    }
}
