using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The language stage's part of an utterance: its token stream and, once it has entered the batch, its place in the KV cache.</summary>
internal sealed class LanguageSequence(Utterance utterance, SpeechTokenStream stream, Action<LanguageSequence> onStarted)
{
    public Utterance Utterance { get; } = utterance;

    public SynthesisJob Job => Utterance.Job;

    public SpeechTokenStream Stream { get; } = stream;

    /// <summary>The row of the batch; null until the utterance has entered it.</summary>
    public LanguageRow? Row { get; set; }

    /// <summary>Whether the utterance may enter the batch. A streamed job speaks one sentence after the other, because a second one would delay the first one's audio;
    /// a whole one lets a few share the batch. Either way the language stage stays ahead of the decode stage by a bounded number.</summary>
    public bool MayStart =>
        Utterance.Index <= Job.DecodedUtterances + MaxAhead && (!Job.Decode.Streaming || Utterance.Index <= Job.SpokenUtterances);

    /// <summary>Whether there is a step to take now. A job whose consumer does not take its audio pauses.</summary>
    public bool CanStep => !Job.HasEnded && Stream.Ready && !Job.Output.IsFull && (Row is not null || MayStart);

    private const int MaxAhead = 2;

    /// <summary>Enters the batch, if that has not happened yet.</summary>
    public void Start()
    {
        if (Row is null)
            onStarted(this);
    }

    /// <summary>Gives up the place in the KV cache; everything will be fed again, with the same result.</summary>
    public void Preempt()
    {
        Row!.State.Reset();
        Stream.Rewind();
    }

    public void Free()
    {
        Row?.State.Dispose();
        Row = null;
    }
}
