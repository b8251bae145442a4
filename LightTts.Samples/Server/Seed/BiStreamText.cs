using System.Text;

namespace LightTts.Samples.Server.Seed;

/// <summary>The text of a web socket on its way to the pipeline: pieces that wait are
/// joined, so that a flood of small ones costs no more than their characters.</summary>
internal sealed class BiStreamText(int limit)
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _waiting = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _total;
    private bool _complete;

    /// <summary>Appends a piece.</summary>
    /// <returns>False where the text has become too long.</returns>
    public bool Append(string piece)
    {
        lock (_gate)
        {
            if ((_total += piece.Length) > limit)
                return false;
            _waiting.Append(piece);
            _changed.TrySetResult();
        }
        return true;
    }

    public void Complete()
    {
        lock (_gate)
        {
            _complete = true;
            _changed.TrySetResult();
        }
    }

    public async IAsyncEnumerable<string> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken =
        default)
    {
        while (true)
        {
            await _changed.Task.WaitAsync(cancellationToken);
            string piece;
            bool complete;
            lock (_gate)
            {
                piece = _waiting.ToString();
                _waiting.Clear();
                complete = _complete;
                if (!complete)
                    _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            if (piece.Length > 0)
                yield return piece;
            else if (complete)
                yield break;
        }
    }
}
