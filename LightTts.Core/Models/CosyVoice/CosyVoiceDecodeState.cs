using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;

namespace LightTts.Models.CosyVoice;

/// <summary>An utterance's state in flow and vocoder.</summary>
internal sealed class CosyVoiceDecodeState(FlowState flow, IVocoderState vocoder, DecodeOptions options, int firstFrames) : IDecodeState
{
    public FlowState Flow => flow;

    public IVocoderState Vocoder => vocoder;

    public DecodeOptions Options => options;

    /// <summary>Whether the flow has given frames of it.</summary>
    public bool HasAudio { get; set; }

    public required bool NeedsPrompt { get; init; }

    public int TokensWanted => flow.TokensFor(HasAudio ? 1 : firstFrames);

    public TimeSpan Deadline
    {
        set => flow.Deadline = value;
    }

    public long CacheBytes => flow.CacheBytes + vocoder.CacheBytes;

    public void Dispose()
    {
        flow.Dispose();
        vocoder.Dispose();
    }
}
