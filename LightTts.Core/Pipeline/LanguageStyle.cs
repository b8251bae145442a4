using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>One of the language models over the decoder, as the engine accounts for it: who may still use it, and when it is free.</summary>
internal sealed class LanguageStyle(string name, ILanguageModel model)
{
    private readonly Lock _gate = new();
    private int _users;
    private TaskCompletionSource? _left; // set while it is to be removed

    public string Name => name;

    /// <summary>For the language thread, which owns it, and for facts that do not change.</summary>
    public ILanguageModel Model => model;

    /// <summary>A request begins to use it.</summary>
    /// <returns>False where it is being removed.</returns>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_left is not null)
                return false;
            _users++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_gate)
            if (--_users == 0)
                _left?.TrySetResult();
    }

    /// <summary>Lets no more requests in.</summary>
    /// <returns>Ends when the last request has left; null where somebody removes it already.</returns>
    public Task? Close()
    {
        lock (_gate)
        {
            if (_left is not null)
                return null;
            _left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_users == 0)
                _left.TrySetResult();
            return _left.Task;
        }
    }

    /// <summary>Takes <see cref="Close"/> back.</summary>
    public void Reopen()
    {
        lock (_gate)
            _left = null;
    }
}
