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
        using var sideBySide = frames.contiguous();
        var all = (Mel is null ? sideBySide.clone() : cat([Mel, sideBySide], 1)).DetachFromDisposeScope();
        using (Mel)
            Mel = all;
        Length = (int)Mel.shape[1];
    }

    /// <summary>Lets go of the first frames.</summary>
    /// <param name="drop">How many.</param>
    /// <param name="mel">Those behind them, [bands, n]; null where none are let go of. Taken over, as is the next.</param>
    /// <param name="known">What is known of their pitch, [1 + harmonics, m].</param>
    public void Keep(int drop, Tensor? mel, Tensor known)
    {
        using (Known)
            (Known, KnownLength) = (known.DetachFromDisposeScope(), (int)known.shape[1]);
        if (mel is null)
            return;
        using (Mel)
            Mel = mel.DetachFromDisposeScope();
        (Length, Start) = (Length - drop, Start + drop);
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
