using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

/// <summary>The mapped segment in use, opened again where another process has put a new one in its place.</summary>
/// <remarks>Thread-safe. One warning is logged for all that it and its writer cannot do.</remarks>
/// <param name="files">Where it is.</param>
/// <param name="logger">Where the warning goes.</param>
internal sealed class SegmentHandle(SegmentFiles files, ILogger logger) : IDisposable
{
    /// <summary>How often a segment that is replaced under way is looked for.</summary>
    public const int OpenTries = 8;

    private readonly Lock _opening = new();
    private SegmentMap? _map;
    private int _warned;
    private volatile bool _absent;
    private bool _disposed;

    /// <summary>The file in use now, or null where there is none.</summary>
    public string? Path => Volatile.Read(ref _map)?.Path;

    /// <summary>Whether there was no file when it was looked for; false also where it could not be opened.</summary>
    public bool IsAbsent => _absent;

    /// <summary>The segment in use now, kept mapped until <see cref="SegmentMap.Exit"/>; null where there is none.</summary>
    public SegmentMap? Enter()
    {
        for (var tries = 0; tries < OpenTries; tries++)
        {
            if (Volatile.Read(ref _map) is not { } map)
            {
                // Where there was none, another process may have made one since.
                if (!_absent || !files.MayExist)
                    return null;
                Open(create: false);
                if (Volatile.Read(ref _map) is null)
                    return null;
                continue;
            }
            if (!map.TryEnter())
                continue;
            if (map.CheckState() == SegmentState.Current)
                return map;
            map.Exit();
            Reopen(map, create: false);
        }
        return null;
    }

    /// <summary>Opens the segment where none is in use; logs one warning where that is impossible.</summary>
    /// <param name="create">Makes it where there is none.</param>
    public void Open(bool create) => Reopen(null, create);

    /// <summary>Whether nothing was warned of before.</summary>
    public bool FirstWarning() => Interlocked.Exchange(ref _warned, 1) == 0;

    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            Interlocked.Exchange(ref _map, null)?.Exit();
        }
    }

    // Replaces the map that the caller found to be unusable; where another thread did so already, nothing is left to do.
    private void Reopen(SegmentMap? unusable, bool create)
    {
        lock (_opening)
        {
            if (_map != unusable || _disposed)
                return;
            try
            {
                _map = files.Open(create);
                _absent = _map is null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException
                or DllNotFoundException or EntryPointNotFoundException)
            {
                (_map, _absent) = (null, false);
                if (FirstWarning())
                    TimbreLog.ProcessOnly(logger, e.Message);
            }
            unusable?.Exit();
        }
    }
}
