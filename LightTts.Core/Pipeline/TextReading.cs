using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The encode stage's part of a job: reads its text piece by piece and hands utterances to the language stage.</summary>
internal sealed class TextReading(SynthesisJob job) : IDisposable
{
    private IEnumerator<TextPiece>? _pieces;
    private ITextFeed? _feed;
    private Utterance? _open;
    private int _utterances;
    private bool _started;

    public SynthesisJob Job { get; } = job;

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

    public void Dispose() => _pieces?.Dispose();

    private void Start(ISpeechEncoder encoder)
    {
        _started = true;
        Job.Prompt = encoder.CreatePrompt(Job.Timbre, Job.Request.Instruction);
        if (Job.Source is not null)
        {
            _feed = encoder.CreateFeed(Job.Request.NormalizeText);
            return;
        }
        _pieces = encoder.Prepare(Job.Request.Text, Job.Request.NormalizeText).GetEnumerator();
        if (!_pieces.MoveNext())
            throw NothingToSpeak();
    }

    /// <summary>Hands over the next piece once the language stage wants it; looks one further to know which is the last.</summary>
    private bool ReadPiece(LanguageStage language)
    {
        if (!Job.WantsPiece)
            return true;
        Job.WantsPiece = false;
        var utterance = new Utterance(Job, _utterances++, _pieces!.Current);
        utterance.IsLast = !_pieces.MoveNext();
        language.Post(new LanguageMessage(utterance, null, false));
        return !utterance.IsLast;
    }

    private bool ReadFeed(ITextFeed feed, LanguageStage language)
    {
        // Text runs ahead of the voice by an utterance at most; the rest waits in the source.
        while (Job.WantsPiece || _open is not null)
        {
            if (!Job.Source!.TryTake(out var piece))
                break;
            foreach (var part in feed.Push(piece!))
                Hand(part, language);
        }
        if (!Job.Source!.IsDrained)
            return true;
        foreach (var part in feed.Finish())
            Hand(part, language);
        End(language);
        return false;
    }

    private void Hand(FeedPart part, LanguageStage language)
    {
        if (_open is null)
        {
            Job.WantsPiece = false;
            _open = new Utterance(Job, _utterances++, new TextPiece("", [], new Range(_sourceStart, _sourceStart))) { IsFed = true };
            language.Post(new LanguageMessage(_open, null, false));
        }
        _open.SourceEnd = _sourceStart = part.SourceEnd;
        language.Post(new LanguageMessage(_open, part.Tokens, part.EndsUtterance));
        if (part.EndsUtterance)
            _open = null;
    }

    private int _sourceStart;

    private void End(LanguageStage language)
    {
        if (_open is not null)
        {
            _open.IsLast = true;
            language.Post(new LanguageMessage(_open, [], true));
        }
        else if (_utterances == 0)
            throw NothingToSpeak();
        else
            language.Post(new LanguageMessage(new Utterance(Job, _utterances, new TextPiece("", [], new Range(_sourceStart, _sourceStart))) { IsLast = true }, null, false));
    }

    private static TtsRequestException NothingToSpeak() =>
        new("The text has nothing to speak: it is empty, or only white space, punctuation or symbols. Hand in at least one word or number.");
}
