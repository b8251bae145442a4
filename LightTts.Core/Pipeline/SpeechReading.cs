using LightTts.Diagnostics;
using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The encode stage's part of a job that speaks speech in another voice: makes its tokens and hands them to the decode stage, as
/// there is nothing for a language model to do.</summary>
internal sealed class SpeechReading(SynthesisJob job, DecodeStage decode)
{
    /// <summary>Tokens that may wait to be decoded (a minute of speech) before no more are made.</summary>
    private const int MaxTokensWaiting = 1500;

    private readonly SpeechInput _input = job.Speech!;
    private ISourceFeed? _feed;
    private bool _complete;
    private Utterance? _open;
    private int _utterances;

    public SynthesisJob Job => job;

    /// <summary>Whether nothing is left to read.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Makes the next tokens, if there is audio for them and room.</summary>
    /// <returns>Whether it did.</returns>
    public bool Advance(ISpeechEncoder encoder)
    {
        if (job.HasEnded)
            IsOver = true;
        if (IsOver || job.TokensWaiting >= MaxTokensWaiting)
            return false;
        try
        {
            _feed ??= encoder.CreateSourceFeed(live: _input.Source is not null);
            return Advance(_feed);
        }
        catch (Exception e)
        {
            IsOver = true;
            job.Fail(e);
            return false;
        }
    }

    private bool Advance(ISourceFeed feed)
    {
        using var measurement = LightTtsDiagnostics.MeasureStage(PipelineStage.Encode.Name());
        SourcePart? part;
        while ((part = feed.Next()) is null)
        {
            if (_complete)
                throw new InvalidOperationException("A source that is complete gave no last part.");
            if (_input.Clip is { } clip)
                feed.Push(clip);
            else if (_input.Source!.TryTake(out var piece))
            {
                feed.Push(piece!);
                continue;
            }
            else if (!_input.Source.IsDrained)
                return false;
            _complete = true;
            try
            {
                feed.Complete();
            }
            catch (TtsAudioException) when (job.SourceError is not null)
            {
                throw job.SourceError; // too little came before
            }
        }
        Hand(part.Value);
        return true;
    }

    private void Hand(SourcePart part)
    {
        if (_open is null)
        {
            _open = new Utterance(job, _utterances++, new TextPiece("", [], default));
            decode.Post(new DecodeMessage(_open));
        }
        if (part.Tokens.Length > 0)
        {
            job.AddTokensWaiting(part.Tokens.Length);
            _open.Tokens.Add(part.Tokens);
            if (!part.EndsUtterance)
                _open.Tokens.Stall(); // who speaks live may pause: what is there is spoken
        }
        _open.IsLast = part.IsLast;
        if (part.EndsUtterance)
        {
            _open.Tokens.Finish(FinishReason.Stop);
            _open = null;
        }
        decode.Wake();
        IsOver = part.IsLast;
    }
}
