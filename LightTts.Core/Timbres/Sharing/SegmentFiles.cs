using LightTts.FileSystem;
using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

/// <summary>Finds the file that all processes use, or makes it. What is there and cannot
/// be used stays as it is; the next name beside it is tried, in the same order by
/// every process.</summary>
internal sealed class SegmentFiles
{
    private const int MaxBeside = 8;
    private static readonly TimeSpan CreationWait = TimeSpan.FromSeconds(5);

    private readonly TimbreKey _owner;
    private readonly long _maxBytes;
    private readonly string _path;
    private readonly bool _makeFolder;
    private readonly ILogger _logger;
    private string? _besideLogged;

    public SegmentFiles(TimbreStoreOptions options, in TimbreKey owner, ILogger logger)
    {
        (_owner, _maxBytes, _logger) = (owner, options.SegmentBytes, logger);
        _makeFolder = options.SegmentPath is null;
        _path = options.SegmentPath is { } path ? Path.GetFullPath(path) : Path.Combine(DefaultFolder(), $"timbres{Suffix}");
    }

    private string Suffix => $".v{SegmentHeader.CurrentVersion}-{_owner.ToString()[..16]}";

    public static string LockPath(string segmentPath) => segmentPath + ".lock";

    /// <summary>Whether there may be a segment to map, in one system call.</summary>
    public bool MayExist => FileFacts.Of(_path) is not null;

    /// <summary>Maps the segment.</summary>
    /// <param name="create">Whether to make it where there is none; otherwise null is the answer.</param>
    /// <exception cref="IOException">None can be used or made.</exception>
    /// <exception cref="UnauthorizedAccessException">None may be opened or made.</exception>
    public SegmentMap? Open(bool create)
    {
        if (!create && !Directory.Exists(Path.GetDirectoryName(_path)))
            return null;
        if (create && _makeFolder)
            PrivateFile.MakeFolder(Path.GetDirectoryName(_path)!);
        else if (create)
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        Exception? failure = null;
        string? reason = null;
        for (var beside = 0; beside <= MaxBeside; beside++)
        {
            var candidate = beside == 0 ? _path : _path + Suffix + (beside == 1 ? "" : $".{beside}");
            try
            {
                var map = TryOpen(candidate, create, out var fault);
                if (map is null && fault is not null)
                {
                    reason ??= fault;
                    continue;
                }
                if (beside > 0 && _besideLogged != candidate)
                    TimbreLog.Beside(_logger, _path, reason, _besideLogged = candidate);
                return map;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure ??= e;
                reason ??= e.Message;
            }
        }
        throw new IOException($"{_path}: {reason}", failure);
    }

    /// <summary>In shared memory where there is such a folder, in the temp folder otherwise; a folder of its own for each user.</summary>
    private static string DefaultFolder()
    {
        const string SharedMemory = "/dev/shm";
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "LightTts");
        var parent = Directory.Exists(SharedMemory) ? SharedMemory : Path.GetTempPath();
        return Path.Combine(parent, $"lighttts-{UnixNative.GetEffectiveUser()}");
    }

    // Null without a fault where there is none and none is made.
    private SegmentMap? TryOpen(string path, bool create, out string? fault)
    {
        fault = null;
        if (IsMissing(path))
        {
            if (!create && !SegmentBuilder.IsBeingReplaced(path))
                return null;
            Create(path);
        }
        var map = SegmentMap.TryOpen(path, _owner, out fault);
        if (map is not null && Volatile.Read(ref map.Retired) != 0)
            Revive(map);
        return map;
    }

    // A file without a byte (made by mktemp, say) holds nothing that could be lost.
    private static bool IsMissing(string path) => FileFacts.Of(path) is not { } facts
        || (facts is { IsRegular: true, IsOurs: true } && facts.Length == 0);

    private void Create(string path)
    {
        using var turn = FileLock.TryAcquire(LockPath(path), CreationWait) ?? throw new IOException("Another process holds the segment's lock.");
        if (IsMissing(path) && !SegmentBuilder.TryTakeBack(path))
            SegmentBuilder.Create(path, _maxBytes, _owner);
    }

    // Nobody is replacing it now: whoever wanted to has died.
    private static void Revive(SegmentMap map)
    {
        using var turn = FileLock.TryAcquire(LockPath(map.Path), CreationWait);
        if (turn is not null && map.IsAtItsPath())
            Volatile.Write(ref map.Retired, 0);
    }
}
