using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>What one utterance carries from call to call: the last frames, and what became of them.</summary>
/// <remarks>Its size does not depend on the utterance's length. Owned by one request; disposing frees all of it.</remarks>
internal sealed class OverlapState(MelPieces pieces) : IVocoderState
{
    /// <summary>Frames that were not in a call yet, behind those that the next call begins with again: [1, bands, n].</summary>
    internal Tensor? Mel { get; private set; }

    /// <summary>The source at the frames that come again; empty before the first call.</summary>
    internal float[] Source { get; private set; } = [];

    /// <summary>The samples at those frames, which are withheld.</summary>
    internal float[] Speech { get; private set; } = [];

    /// <summary>Frames that were in a call.</summary>
    internal long Done { get; private set; }

    /// <summary>Whether the last frames were handed over.</summary>
    internal bool Finished { get; set; }

    public long CacheBytes => (Mel is null ? 0 : Mel.numel() * Mel.element_size()) + (Source.Length + Speech.Length) * sizeof(float);

    /// <summary>Frames that were not in a call yet.</summary>
    internal long Waiting { get; private set; }

    public void Dispose()
    {
        Clear();
        Finished = true;
    }

    internal void Append(Tensor mel)
    {
        using var scope = NewDisposeScope();
        var all = (Mel is { } before ? cat([before, mel], 2) : mel.clone()).DetachFromDisposeScope();
        Mel?.Dispose();
        Mel = all;
        Waiting += mel.shape[2];
    }

    /// <summary>New frames of the next call; 0 where it has to wait, or there is nothing more.</summary>
    /// <param name="held">Frames that a call withholds, when it is not the last.</param>
    internal long NextCall(int held)
    {
        if (pieces.Every == 0)
            return Waiting > 0 && (Finished || Mel!.shape[2] > held) ? Waiting : 0;
        var end = Done < pieces.First ? pieces.First : pieces.First + ((Done - pieces.First) / pieces.Every + 1) * pieces.Every;
        return Waiting >= end - Done ? end - Done : Finished ? Waiting : 0;
    }

    /// <summary>A call over so many new frames was made.</summary>
    /// <param name="count">New frames.</param>
    /// <param name="held">Frames with which the next call begins.</param>
    /// <param name="source">The source at those frames.</param>
    /// <param name="speech">The samples at those frames.</param>
    internal void Advance(long count, long held, float[] source, float[] speech)
    {
        Done += count;
        Waiting -= count;
        var rest = Mel!.narrow(2, Mel.shape[2] - Waiting - held, Waiting + held).clone().DetachFromDisposeScope();
        Mel.Dispose();
        (Mel, Source, Speech) = (rest, source, speech);
    }

    internal void Clear()
    {
        Mel?.Dispose();
        (Mel, Source, Speech, Waiting) = (null, [], [], 0);
    }
}
