namespace LightTts.Tests.Hub;

/// <summary>What has arrived of each file, for servers that wait for it.</summary>
internal sealed class Received : IProgress<ModelPullProgress>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _bytes = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ModelPullProgress Last { get; private set; }

    public void Report(ModelPullProgress value)
    {
        lock (_lock)
        {
            _bytes[value.File] = value.FileBytes;
            if (value.Bytes >= Last.Bytes)
                Last = value;
            _changed.SetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public async Task UntilAsync(string file, long bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_bytes.GetValueOrDefault(file) >= bytes)
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }
}
