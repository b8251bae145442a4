namespace LightTts.Benchmarks.Ledger;

/// <summary>Keeps account of what the devices did in windows of time, and writes it to a file, or lists all of one window in another.</summary>
internal sealed class DeviceLedger : IDisposable
{
    private readonly ActivityTrace _trace;
    private readonly FileInfo? _file, _list;
    private readonly List<(long Start, long End)> _windows = [];
    private readonly List<(long At, string What)> _marks = [];
    private readonly Dictionary<uint, string?> _threads = [];
    private long _opened;

    private DeviceLedger(ActivityTrace trace, FileInfo? file, FileInfo? list) => (_trace, _file, _list) = (trace, file, list);

    /// <summary>Begins to record, where a file is named; before anything touches a device.</summary>
    /// <param name="file">For the account, is overwritten; null: there is none.</param>
    /// <param name="natives">Folder of libtorch's libraries.</param>
    /// <param name="list">For the list of a window's activities, likewise.</param>
    /// <exception cref="TtsException">There is no CUPTI, or it refuses.</exception>
    public static DeviceLedger? Open(FileInfo? file, string? natives, FileInfo? list = null)
    {
        if (file is null && list is null)
            return null;
        var trace = ActivityTrace.Begin(natives);
        foreach (var written in (FileInfo?[])[file, list])
        {
            written?.Directory?.Create();
            if (written is not null)
                File.WriteAllText(written.FullName, "");
        }
        return new DeviceLedger(trace, file, list);
    }

    /// <summary>A window begins; nothing is under way on the device.</summary>
    public void Enter() => _opened = _trace.Now;

    /// <summary>It ends; the device was waited for.</summary>
    public void Leave() => _windows.Add((_opened, _trace.Now));

    /// <summary>Something that the list is to tell: what the host has just done.</summary>
    public void Mark(string what) => _marks.Add((_trace.Now, what));

    /// <summary>Forgets what was recorded so far.</summary>
    public void Discard()
    {
        _trace.Take();
        _windows.Clear();
        _marks.Clear();
    }

    /// <summary>Writes the account of the windows since the last one.</summary>
    /// <param name="title">Of what was measured.</param>
    /// <param name="unit">What times are divided by: "pass", "second of audio".</param>
    /// <param name="count">How many; null: as many as windows.</param>
    /// <param name="more">Lines that go with it.</param>
    public void Write(string title, string unit, double? count = null, string more = "")
    {
        var (activities, calls) = _trace.Take();
        if (_windows.Count > 0 && _file is not null)
            File.AppendAllText(_file.FullName,
                new LedgerText(new LedgerAccount(_windows, activities, calls, ThreadName), unit, count ?? _windows.Count).Write(title) + more);
        if (_windows.Count > 0 && _list is not null)
            File.AppendAllText(_list.FullName, new ActivityList(ActivityList.Typical(_windows), ThreadName).Write(title, activities, calls, _marks));
        _windows.Clear();
        _marks.Clear();
    }

    public void Dispose() => _trace.Dispose();

    /// <summary>What a thread is called, as long as it lives; asked once.</summary>
    private string? ThreadName(uint id)
    {
        if (_threads.TryGetValue(id, out var known))
            return known;
        var file = $"/proc/self/task/{id}/comm";
        return _threads[id] = File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }
}
