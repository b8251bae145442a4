using System.Diagnostics;
using LightTts.Diagnostics;
using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The encode stage's part of a job: reads its text piece by piece and hands utterances to the language stage.</summary>
internal sealed class TextReading(SynthesisJob job) : IDisposable
{
    /// <summary>Streamed text without a sentence end is cut after so many tokens all the same: memory and the KV cache are finite.</summary>
    private const int MaxFedUtteranceTokens = 240;

    /// <summary>Pieces taken from one source before the others have their turn: a source that never pauses must not hold up the rest.</summary>
    private const int PiecesInTurn = 8;

    private IEnumerator<TextPiece>? _pieces;
    private ITextFeed? _feed;
    private readonly List<FeedPart> _wordless = []; // since the last utterance's end
    private Utterance? _open;
    private int _openTokens;
    private Activity? _span;
    private int _utterances;
    private int _sourceStart;
    private bool _started;

    public SynthesisJob Job { get; } = job;

    /// <summary>Whether text is left that could be read at once, beyond this turn.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Does what is due.</summary>
    /// <returns>False where nothing is left to read.</returns>
    public bool Advance(ISpeechEncoder encoder, LanguageStage language)
    {
        if (Job.HasEnded)
            return false;
        try
        {
            if (!_started)
                Start(encoder);
            return _feed is null ? ReadPiece(language) : ReadFeed(_feed, language);
        }
        catch (Exception e)
        {
            Job.Fail(e);
            return false;
        }
    }

    public void Dispose()
    {
        _pieces?.Dispose();
        EndSpan();
    }

    /// <summary>Of streamed text: from a sentence's first piece to its last.</summary>
    private void EndSpan()
    {
        LightTtsDiagnostics.End(_span, LightTtsDiagnostics.ErrorType(Job.Error));
        _span = null;
    }

    private void Start(ISpeechEncoder encoder)
    {
        _started = true;
        Job.Prompt = encoder.CreatePrompt(Job.Timbre, Job.Request);
        if (Job.Source is not null)
        {
            _feed = encoder.CreateFeed(Job.Request);
            return;
        }
        _pieces = encoder.Prepare(Job.Request).GetEnumerator();
        if (!Next(0))
            throw NothingToSpeak();
    }

    /// <summary>Hands over the next piece once the language stage wants it; looks one further to know which is the last.</summary>
    private bool ReadPiece(LanguageStage language)
    {
        if (!Job.WantsPiece)
            return true;
        Job.WantsPiece = false;
        var utterance = new Utterance(Job, _utterances++, _pieces!.Current);
        utterance.IsLast = !Next(_utterances);
        language.Post(new LanguageMessage(utterance, null, false));
        return !utterance.IsLast;
    }

    /// <summary>Normalises and tokenises the next sentence, if there is one; only that counts as work of the stage.</summary>
    private bool Next(int index)
    {
        using var measurement = LightTtsDiagnostics.MeasureStage(PipelineStage.Encode.Name());
        var began = Job.Activity is null ? default : Job.Time.GetUtcNow();
        if (!_pieces!.MoveNext())
            return false;
        LightTtsDiagnostics.End(LightTtsDiagnostics.StartPart(Job.Activity, "lighttts.encode", index, began));
        return true;
    }

    private bool ReadFeed(ITextFeed feed, LanguageStage language)
    {
        // Text runs ahead of the voice by an utterance at most; the rest waits in the source.
        HasMore = false;
        for (var taken = 0; (Job.WantsPiece || _open is not null) && Job.Source!.TryTake(out var piece); taken++)
        {
            foreach (var part in feed.Push(piece!))
                Hand(part, language);
            if (taken == PiecesInTurn)
            {
                HasMore = true;
                return true;
            }
        }
        // A source that pauses, a language model that calls a tool, say, may not keep a finished sentence waiting.
        if (Job.Source!.TakePause())
            foreach (var part in feed.Flush())
                Hand(part, language);
        if (!Job.Source.IsDrained)
            return true;
        foreach (var part in Job.SourceError is null ? feed.Finish() : feed.Flush())
            Hand(part, language);
        End(language);
        return false;
    }

    /// <summary>Punctuation before the first word of an utterance waits for it: by itself it is nothing to speak.</summary>
    private void Hand(FeedPart part, LanguageStage language)
    {
        if (_open is null)
        {
            _wordless.Add(part);
            if (!part.Text.Any(c => char.IsLetterOrDigit(c) || char.IsSurrogate(c)))
            {
                if (part.EndsUtterance || _wordless.Sum(held => held.Tokens.Length) > MaxFedUtteranceTokens)
                    _wordless.Clear();
                return;
            }
            FeedPart[] parts = [.. _wordless];
            _wordless.Clear();
            foreach (var one in parts)
                HandOver(one, language);
            return;
        }
        HandOver(part, language);
    }

    private void HandOver(FeedPart part, LanguageStage language)
    {
        // A cut comes after an exact number of tokens, so that where the text's pieces were cut changes nothing here either.
        for (var at = 0; at < part.Tokens.Length;)
        {
            _open ??= Open(language);
            var count = Math.Min(part.Tokens.Length - at, MaxFedUtteranceTokens - _openTokens);
            var tokens = part.Tokens[at..(at + count)];
            at += count;
            _openTokens += count;
            _open.SourceEnd = _sourceStart = part.SourceEnd;
            var isFull = _openTokens == MaxFedUtteranceTokens;
            // The part's text goes with its first tokens: a cut inside of it is for want of an end, and judged generously.
            language.Post(new LanguageMessage(_open, tokens, isFull, at == count ? part.Text : ""));
            if (isFull)
                CloseOpen();
        }
        if (!part.EndsUtterance || _open is null)
            return;
        language.Post(new LanguageMessage(_open, [], true));
        CloseOpen();
    }

    private Utterance Open(LanguageStage language)
    {
        Job.WantsPiece = false;
        _openTokens = 0;
        var utterance = new Utterance(Job, _utterances++, new TextPiece("", [], new Range(_sourceStart, _sourceStart))) { IsFed = true };
        _span = LightTtsDiagnostics.StartPart(Job.Activity, "lighttts.encode", utterance.Index);
        language.Post(new LanguageMessage(utterance, null, false));
        return utterance;
    }

    private void CloseOpen()
    {
        _open = null;
        EndSpan();
    }

    private void End(LanguageStage language)
    {
        if (_open is not null)
        {
            _open.IsLast = true;
            language.Post(new LanguageMessage(_open, [], true));
        }
        else if (_utterances == 0)
            throw Job.SourceError ?? NothingToSpeak();
        else
            language.Post(new LanguageMessage(new Utterance(Job, _utterances,
            new TextPiece("", [], new Range(_sourceStart, _sourceStart))) { IsLast = true }, null, false));
    }

    private static TtsRequestException NothingToSpeak() =>
        new("The text has nothing to speak: it is empty, or only white space, punctuation or symbols. Hand in at least one word or number.");
}
