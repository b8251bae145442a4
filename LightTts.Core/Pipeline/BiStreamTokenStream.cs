using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>An utterance whose text arrives while it is spoken: turns of a few text
/// tokens and a few speech tokens, and the rest at the end.</summary>
/// <remarks>
/// Feeds exactly what the reference's <c>inference_bistream</c> feeds. The text is taken
/// token by token and only between turns, so that the result does not depend on
/// when or in which pieces it arrives. Quirks that are kept: a forced fill closes a turn
/// at a fixed place; the fill itself is never fed; where fewer than a turn's
/// text tokens remain at the end, the last speech token is fed twice; without prompt speech a
/// CosyVoice3 turn may begin before any text. In the last turn the end is forbidden below the
/// one-shot minimum, which the reference does not do here. Where it
/// raises (a steering token other than fill in a turn, other than eos at the end) the turn, or the utterance, ends.
/// </remarks>
internal sealed class BiStreamTokenStream : SpeechTokenStream
{
    private enum Phase
    {
        BetweenTurns,
        Turn,
        Final,
    }

    private readonly Queue<int> _arrived = [];
    private readonly Queue<int> _text = [];
    private readonly Queue<int> _promptSpeech = [];
    private readonly List<int> _input = []; // what the next pass is given; after a fill still what the last one was given
    private readonly int _maxTokens;
    private Phase _phase;
    private bool _textComplete;
    private int _textTokens;
    private int _nextFill;

    /// <summary>Starts an utterance; no text is there yet.</summary>
    /// <param name="vocabulary">The model's steering ids.</param>
    /// <param name="promptText">Token ids of the instruction and the reference's transcript.</param>
    /// <param name="instructionLength">How many of <paramref name="promptText"/> come first and
    /// unmixed: CosyVoice3's up to and including the end-of-prompt token; 0 in CosyVoice2.</param>
    /// <param name="promptSpeech">Speech tokens of the reference; may be empty.</param>
    /// <param name="maxTokens">The most speech tokens; null: only the reference's
    /// one-shot limit of 20 for a text token, against a model that finds no end.</param>
    /// <param name="seed">Keys the random numbers.</param>
    public BiStreamTokenStream(
        SpeechVocabulary vocabulary,
        ReadOnlySpan<int> promptText,
        int instructionLength,
        ReadOnlySpan<int> promptSpeech,
        int? maxTokens,
        ulong seed)
        : base(vocabulary, seed)
    {
        _maxTokens = maxTokens ?? int.MaxValue;
        _input.Add(vocabulary.Sos);
        _input.AddRange(promptText[..instructionLength]);
        foreach (var id in promptText[instructionLength..])
            _text.Enqueue(id);
        foreach (var token in promptSpeech)
            _promptSpeech.Enqueue(Speech(token));
        _nextFill = vocabulary.MixSpeech - promptSpeech.Length % vocabulary.MixSpeech;
    }

    public override bool WaitingForText => _phase == Phase.BetweenTurns && !Finished;

    protected override bool DrawsNext => _phase == Phase.Final || History.Count != _nextFill;

    public override NextInput Next =>
        History.Count + 1 < Limit ? _phase == Phase.Final || (_phase == Phase.Turn && History.Count + 1 != _nextFill)
            ? NextInput.DrawnToken : NextInput.Unknown // a fill is fed to nobody
        : _phase == Phase.Final ? NextInput.None : NextInput.Unknown;

    protected override bool IgnoreEosAfter(int tokens) =>
        _phase != Phase.Final || tokens < SpeechTokenLimits.ForText(_textTokens, _maxTokens).Min;

    protected override bool MayFill => _phase != Phase.Final;

    /// <summary>More text has arrived.</summary>
    /// <exception cref="InvalidOperationException">The text was declared complete before.</exception>
    public void Push(ReadOnlySpan<int> text)
    {
        if (_textComplete)
            throw new InvalidOperationException("The text is complete; no more can be added.");
        foreach (var id in text)
            _arrived.Enqueue(id);
        GoOn();
    }

    /// <summary>No more text will come: what is left is spoken to its end.</summary>
    public void CompleteText()
    {
        _textComplete = true;
        GoOn();
    }

    protected override bool Take(int token)
    {
        if (!DrawsNext)
            token = Vocabulary.Fill;
        var sound = token < Vocabulary.Size;
        if (!sound && _phase == Phase.Final)
        {
            Finish(LightTts.FinishReason.Stop);
            return false;
        }

        if (!sound)
            _nextFill = History.Count + Vocabulary.MixSpeech + 1;
        Remember(token);
        if (!sound)
        {
            _phase = Phase.BetweenTurns;
            GoOn();
            return false;
        }

        if (History.Count >= Limit)
        {
            Finish(LightTts.FinishReason.Length);
            return true;
        }

        _input.Clear();
        _input.Add(Speech(token));
        Queue(Speech(token));
        return true;
    }

    // A turn is bounded by its forced fill; only the last one could go on for ever.
    private int Limit => _phase == Phase.Final ? SpeechTokenLimits.ForText(_textTokens, _maxTokens).Max : _maxTokens;

    /// <summary>Between turns: takes text until a turn can begin or no more is there.</summary>
    private void GoOn()
    {
        while (_phase == Phase.BetweenTurns && !Finished)
        {
            if (_arrived.TryDequeue(out var id))
            {
                _text.Enqueue(id);
                _textTokens++;
                MixPrompt();
                if (_promptSpeech.Count == 0 && AddTurnText())
                    Begin(Phase.Turn);
            }
            else if (_textComplete)
            {
                _input.AddRange(_text);
                _text.Clear();
                _input.Add(Vocabulary.TaskId);
                Begin(Phase.Final);
                if (_textTokens == 0)
                    Finish(LightTts.FinishReason.Stop);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>The prompt, text and speech mixed as in training, as far as there is text for it.</summary>
    private void MixPrompt()
    {
        while (_promptSpeech.Count > 0 && _text.Count >= Vocabulary.MixText)
        {
            Move(_text, Vocabulary.MixText);
            Move(_promptSpeech, Vocabulary.MixSpeech);
        }
    }

    /// <summary>Whether a turn can begin; adds the text that it begins with.</summary>
    private bool AddTurnText()
    {
        var afterFill = History.Count > 0;
        if (!afterFill && _input.Count > 1)
            return true; // the prompt is all there, or CosyVoice3's instruction
        if (_text.Count < Vocabulary.MixText)
            return false;
        if (afterFill)
            _input.Clear();
        Move(_text, Vocabulary.MixText);
        return true;
    }

    private void Begin(Phase phase)
    {
        _phase = phase;
        foreach (var input in _input)
            Queue(input);
    }

    private void Move(Queue<int> from, int count)
    {
        for (; count > 0 && from.TryDequeue(out var input); count--)
            _input.Add(input);
    }
}
