using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>An utterance's speech tokens on their way from the language stage to the decode stage.</summary>
/// <remarks>Not a message for each token: a step of the language model draws dozens, and the decode stage, in the middle of a pass
/// perhaps, wants to know of them once. What it holds is bounded by the utterance. Safe for one thread at either end.</remarks>
internal sealed class SpeechTokenQueue
{
    private readonly Lock _gate = new();
    private readonly List<int> _tokens = [];
    private FinishReason? _finish;
    private bool _isStalled;
    private volatile bool _hasNews;

    /// <summary>More tokens.</summary>
    public void Add(ReadOnlySpan<int> tokens)
    {
        lock (_gate)
        {
            _tokens.AddRange(tokens);
            _isStalled = false;
            _hasNews = true;
        }
    }

    /// <summary>No token will come for a while (the text's source stalls): what is there is to be handed out.</summary>
    public void Stall()
    {
        lock (_gate)
            _isStalled = _hasNews = true;
    }

    /// <summary>There are no more tokens.</summary>
    public void Finish(FinishReason reason)
    {
        lock (_gate)
        {
            _finish = reason;
            _isStalled = false;
            _hasNews = true;
        }
    }

    /// <summary>Moves what has come to where the decode stage keeps what waits.</summary>
    public void Drain(DecodeItem item)
    {
        if (!_hasNews)
            return;
        lock (_gate)
        {
            item.Pending.AddRange(_tokens);
            item.Arrived(_tokens.Count);
            _tokens.Clear();
            item.IsStalled = _isStalled;
            item.Finish = _finish;
            _hasNews = false;
        }
    }
}
