namespace LightTts.Benchmarks.Ledger;

/// <summary>Keeps account of what the devices did in windows of time, and writes it to a file.</summary>
internal sealed class DeviceLedger : IDisposable
{
    private readonly ActivityTrace _trace;
    private readonly FileInfo _file;
    private readonly List<(long Start, long End)> _windows = [];
    private readonly Dictionary<uint, string?> _threads = [];
    private long _opened;

    private DeviceLedger(ActivityTrace trace, FileInfo file) => (_trace, _file) = (trace, file);

    /// <summary>Begins to record, where a file is named; before anything touches a device.</summary>
    /// <param name="file">Is overwritten; null: no ledger.</param>
    /// <param name="natives">Folder of libtorch's libraries.</param>
    /// <exception cref="TtsException">There is no CUPTI, or it refuses.</exception>
    public static DeviceLedger? Open(FileInfo? file, string? natives)
    {
        if (file is null)
            return null;
        var trace = ActivityTrace.Begin(natives);
        file.Directory?.Create();
        File.WriteAllText(file.FullName, "");
        return new DeviceLedger(trace, file);
    }

    /// <summary>A window begins; nothing is under way on the device.</summary>
    public void Enter() => _opened = _trace.Now;

    /// <summary>It ends; the device was waited for.</summary>
    public void Leave() => _windows.Add((_opened, _trace.Now));

    /// <summary>Forgets what was recorded so far.</summary>
    public void Discard()
    {
        _trace.Take();
        _windows.Clear();
    }

    /// <summary>Writes the account of the windows since the last one.</summary>
    /// <param name="title">Of what was measured.</param>
    /// <param name="unit">What times are divided by: "pass", "second of audio".</param>
    /// <param name="count">How many; null: as many as windows.</param>
    /// <param name="more">Lines that go with it.</param>
    public void Write(string title, string unit, double? count = null, string more = "")
    {
        var (activities, calls) = _trace.Take();
        if (_windows.Count > 0)
            File.AppendAllText(_file.FullName,
                new LedgerText(new LedgerAccount(_windows, activities, calls, ThreadName), unit, count ?? _windows.Count).Write(title) + more);
        _windows.Clear();
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
