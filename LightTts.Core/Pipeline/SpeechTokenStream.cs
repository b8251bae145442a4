using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>What a stream feeds after the draw under way, as far as that can be said before it is known.</summary>
internal enum NextInput
{
    /// <summary>The drawn token alone, where it is a sound; where it is none, nothing of what was said beforehand holds.</summary>
    DrawnToken,

    /// <summary>Nothing: it is the last one.</summary>
    None,

    /// <summary>That depends on the token, or on text that is still to come.</summary>
    Unknown,
}

/// <summary>One utterance's way through the language model: what to feed next, what a
/// drawn token means, when it is over. Knows no model and no thread.</summary>
/// <remarks>
/// <para>A turn: while <see cref="Ready"/>, feed <see cref="Pending"/> with <see cref="Draw"/>
/// and hand the result to <see cref="Accept"/>. A long prompt may be fed in
/// pieces: all but the last without a draw, each reported by <see cref="Advance"/>.</para>
/// <para>Preemption: reset the model's state and call <see cref="Rewind"/>;
/// <see cref="Pending"/> is then everything that was fed so far and what comes next.</para>
/// <para>Follows <c>Qwen2LM.inference</c> and <c>inference_bistream</c> in cosyvoice/llm/llm.py. Not thread-safe.</para>
/// </remarks>
internal abstract class SpeechTokenStream
{
    private readonly List<int> _drawn = [];
    private readonly ulong _seed;
    private int[] _inputs = new int[256];
    private int _inputCount;
    private int _draws;
    private SilentTokenFilter _filter;

    protected SpeechTokenStream(SpeechVocabulary vocabulary, ulong seed)
    {
        Vocabulary = vocabulary;
        _seed = seed;
        _filter = new SilentTokenFilter(vocabulary.SilentTokens);
    }

    protected SpeechVocabulary Vocabulary { get; }

    /// <summary>Inputs of the sequence that the model has seen since its start or the last <see cref="Rewind"/>.</summary>
    public int Fed { get; private set; }

    /// <summary>Encoded inputs (see <see cref="LanguageRow"/>) to feed before the next token is known.</summary>
    public ReadOnlyMemory<int> Pending => _inputs.AsMemory(Fed, _inputCount - Fed);

    /// <summary>Whether there is something to do: <see cref="Pending"/> can be fed and <see cref="Accept"/> be called.</summary>
    public bool Ready => FinishReason is null && !WaitingForText;

    /// <summary>How to draw after the last of <see cref="Pending"/>; null where the next
    /// token is given (a forced fill): feed it all the same, then accept -1.</summary>
    public TokenDraw? Draw => DrawsNext ? new TokenDraw(_seed, _draws, _drawn, IgnoreEosAfter(_drawn.Count), MayFill, Sampling) : null;

    /// <summary>What follows the draw under way.</summary>
    public abstract NextInput Next { get; }

    /// <summary>How to draw after that, where it is <see cref="NextInput.DrawnToken"/>; its history lacks the token that is still to come.</summary>
    public TokenDraw DrawAfterNext => new(_seed, _draws + 1, _drawn, IgnoreEosAfter(_drawn.Count + 1), MayFill, Sampling);

    /// <summary>What of the model's way to draw is to be otherwise.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>Whether the stream can go on only when it is given more text.</summary>
    public virtual bool WaitingForText => false;

    /// <summary>Whether the utterance is over.</summary>
    public bool Finished => FinishReason is not null;

    /// <summary>Why it is over; null while it goes on.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>Every token so far, dropped silence and forced fills included, oldest first.</summary>
    public IReadOnlyList<int> History => _drawn;

    /// <summary>Whether the token after <see cref="Pending"/> is drawn, not given.</summary>
    protected abstract bool DrawsNext { get; }

    /// <summary>Whether the end is forbidden in the draw behind so many tokens.</summary>
    protected abstract bool IgnoreEosAfter(int tokens);

    /// <summary>Whether more text may be asked for in the next draw although the end is forbidden.</summary>
    protected virtual bool MayFill => false;

    /// <summary>A piece of <see cref="Pending"/> was fed, and more of it remains.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(count, _inputCount - Fed);
        Fed += count;
    }

    /// <summary>All of <see cref="Pending"/> was fed and this came out.</summary>
    /// <param name="token">The drawn token; -1 where <see cref="Draw"/> was null.</param>
    /// <returns>The speech token for the decoder, or -1 where there is none (a steering token, or silence that is dropped).</returns>
    public int Accept(int token)
    {
        if (!Ready)
            throw new InvalidOperationException("The stream has nothing to feed: it is over or waits for text.");
        var drawn = DrawsNext;
        if (drawn == token < 0)
            throw new ArgumentException(drawn ? "A drawn token is expected." : "No token is expected: the next one is given.", nameof(token));
        Fed = _inputCount;
        if (drawn)
            _draws++;
        return Take(token) && _filter.Keep(token) ? token : -1;
    }

    /// <summary>The model's state was reset: everything is to be fed again.</summary>
    public void Rewind() => Fed = 0;

    /// <summary>Takes a token, queues what follows from it and says whether it is a sound.</summary>
    protected abstract bool Take(int token);

    protected void Remember(int token) => _drawn.Add(token);

    protected void Finish(FinishReason reason) => FinishReason = reason;

    protected void Queue(int input)
    {
        if (_inputCount == _inputs.Length)
            Array.Resize(ref _inputs, 2 * _inputs.Length);
        _inputs[_inputCount++] = input;
    }

    protected void Queue(ReadOnlySpan<int> inputs)
    {
        foreach (var input in inputs)
            Queue(input);
    }

    /// <summary>The encoded input of a speech token.</summary>
    protected static int Speech(int token) => ~token;
}
