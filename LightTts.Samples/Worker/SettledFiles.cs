using System.Collections.Concurrent;
using System.Threading.Channels;

namespace LightTts.Samples.Worker;

/// <summary>The text files of a folder, each once it is written: nothing happened to it for a while and nobody has it open for writing.</summary>
internal sealed class SettledFiles : IDisposable
{
    private readonly Channel<string> _files = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, ITimer> _waiting = new();
    private readonly FileSystemWatcher _watcher;
    private readonly TimeSpan _quiet;
    private readonly TimeProvider _time;

    public SettledFiles(string folder, TimeSpan quiet, TimeProvider time)
    {
        (_quiet, _time) = (quiet, time);
        _watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
        _watcher.Created += (_, e) => Touch(e.FullPath);
        _watcher.Changed += (_, e) => Touch(e.FullPath);
        _watcher.Renamed += (_, e) => Touch(e.FullPath);
        _watcher.EnableRaisingEvents = true;
        foreach (var file in Directory.EnumerateFiles(folder).Order())
            Touch(file);
    }

    public IAsyncEnumerable<string> ReadAllAsync(CancellationToken cancellation) => _files.Reader.ReadAllAsync(cancellation);

    public void Dispose()
    {
        _watcher.Dispose();
        foreach (var timer in _waiting.Values)
            timer.Dispose();
    }

    /// <summary>Something happened to a file; the wait begins anew. The new name of a rename counts, the old one does not.</summary>
    private void Touch(string file)
    {
        if (!file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
            return;
        var timer = _waiting.GetOrAdd(file, key => _time.CreateTimer(_ => Settle(key), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        timer.Change(_quiet, Timeout.InfiniteTimeSpan);
    }

    private void Settle(string file)
    {
        if (File.Exists(file) && IsOpenElsewhere(file))
        {
            // Its writer pauses; the next look is as far away as the first was.
            Touch(file);
            return;
        }
        if (_waiting.TryRemove(file, out var timer))
            timer.Dispose();
        if (File.Exists(file))
            _files.Writer.TryWrite(file);
    }

    private static bool IsOpenElsewhere(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
