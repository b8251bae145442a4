using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice;

/// <summary>An utterance's state in flow and vocoder.</summary>
/// <param name="flow">The flow's.</param>
/// <param name="sketch">The flow's for a first chunk in fewer solver steps, in a state of its own: what is kept of frames is kept apart for every
/// step, and steps of another number are other steps. Null: the first chunk is as the others.</param>
/// <param name="vocoder">The vocoder's.</param>
/// <param name="options">How it is decoded.</param>
/// <param name="firstFrames">Frames that a first chunk brings at least.</param>
internal sealed class CosyVoiceDecodeState(FlowState flow, FlowState? sketch, IVocoderState vocoder, DecodeOptions options, int firstFrames)
    : IDecodeState
{
    private FlowState? _sketch = sketch;
    private int _sketched; // frames that were spoken as a sketch, and that the flow is still to compute

    public FlowState Flow => flow;

    /// <summary>The flow's state that the next pass works on.</summary>
    public FlowState Next => _sketch ?? flow;

    public IVocoderState Vocoder => vocoder;

    public DecodeOptions Options => options;

    /// <summary>Whether the flow has given frames of it.</summary>
    public bool HasAudio { get; set; }

    /// <summary>Those of its flow states that are to begin behind their voice's prompt, when it has been computed.</summary>
    public required IReadOnlyList<FlowState> Unprepared { get; init; }

    public bool NeedsPrompt => Unprepared.Count > 0;

    public int TokensWanted => Next.TokensFor(HasAudio ? _sketched + 1 : firstFrames);

    public TimeSpan Deadline
    {
        set
        {
            flow.Deadline = value;
            if (_sketch is not null)
                _sketch.Deadline = value;
        }
    }

    public long CacheBytes => flow.CacheBytes + (_sketch?.CacheBytes ?? 0) + vocoder.CacheBytes;

    /// <summary>Takes what a pass over <see cref="Next"/> gave.</summary>
    /// <param name="row">Its row, without an error.</param>
    /// <returns>The frames that are to be spoken, in the caller's dispose scope; null where there are none.</returns>
    public Tensor? Take(FlowRow row)
    {
        if (_sketch is null)
        {
            if (_sketched == 0 || row.Mel is not { } mel)
                return row.Mel;
            var (spoken, frames) = (_sketched, mel.shape[2]);
            _sketched = 0;
            return frames > spoken ? mel.narrow(2, spoken, frames - spoken).contiguous() : null;
        }
        flow.Append(row.Tokens.Span);
        if (row.Mel is null)
            return null;
        _sketched = (int)row.Mel.shape[2];
        _sketch.Dispose();
        _sketch = null;
        return row.Mel;
    }

    public void Dispose()
    {
        flow.Dispose();
        _sketch?.Dispose();
        vocoder.Dispose();
    }
}
