using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>What one utterance carries between vocoder passes: the tails of every causal
/// layer, phase sums, position, samples that are not yet due.</summary>
/// <remarks>Its size does not depend on the utterance's length. Owned by one request; disposing frees all of it.</remarks>
internal sealed class VocoderState(int slots) : IVocoderState
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
