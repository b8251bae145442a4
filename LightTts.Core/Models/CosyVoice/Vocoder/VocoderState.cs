using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>What one utterance carries between vocoder passes: the tails of every causal layer, phase sums, position, samples that are not yet due.</summary>
/// <remarks>Its size does not depend on the utterance's length. Owned by one request; disposing frees all of it.</remarks>
internal sealed class VocoderState(int slots) : IDisposable
{
    /// <summary>Layer tails [1, channels, length], by slot; null before the first pass.</summary>
    internal Tensor?[] Tails { get; } = new Tensor?[slots];

    /// <summary>Mel frames [1, bands, n] that came before there were enough for a first pass.</summary>
    internal Tensor? Waiting { get; set; }

    /// <summary>Whether layers have run, so that tails are there.</summary>
    internal bool Started { get; set; }

    /// <summary>Whether the last frames were handed over.</summary>
    internal bool Finished { get; set; }

    /// <summary>Mel frames handed over so far.</summary>
    internal long Frames { get; set; }

    /// <summary>Samples of the source made so far: the position in the noise table.</summary>
    internal long SourceSamples { get; set; }

    /// <summary>Samples handed out so far.</summary>
    internal long Emitted { get; set; }

    /// <summary>Samples that are complete but withheld.</summary>
    internal float[] Held { get; set; } = [];

    /// <summary>Bytes that the state holds now.</summary>
    public long CacheBytes => Tails.Append(Waiting).Sum(t => t is null ? 0 : t.numel() * t.element_size()) + Held.Length * sizeof(float);

    public void Dispose()
    {
        Clear();
        Finished = true;
    }

    internal void Clear()
    {
        for (var i = 0; i < Tails.Length; i++)
        {
            Tails[i]?.Dispose();
            Tails[i] = null;
        }
        Waiting?.Dispose();
        Waiting = null;
        Held = [];
    }
}

/// <summary>One utterance's part of a vocoder pass.</summary>
internal sealed class VocoderRow
{
    public required VocoderState State { get; init; }

    /// <summary>The frames that were not handed over before, [1, bands, frames]; frames may be 0. Stays the caller's.</summary>
    public required Tensor Mel { get; init; }

    /// <summary>Whether these are the last.</summary>
    public required bool Final { get; init; }

    /// <summary>The samples that became ready, set by the pass; may be empty.</summary>
    public float[] Samples { get; set; } = [];

    /// <summary>Why this row failed, set by the pass. Its state cannot be used any more.</summary>
    public Exception? Error { get; set; }
}
