using System.IO.MemoryMappedFiles;
using LightTts.FileSystem;

namespace LightTts.Timbres.Sharing;

/// <summary>Makes segment files, empty or compacted: under a temporary name, complete, then renamed. Called under the writer lock.</summary>
internal static class SegmentBuilder
{
    public const long MinBytes = 1 << 20;
    private const long FirstBytes = 4 << 20;
    private const int MaxRemovalNotes = 256;
    private const string RetiredMark = ".old-", TemporaryMark = ".tmp-", ExtractionMark = ".add";

    /// <summary>Whether the system replaces a file that is mapped in one step. Settable so that the other way can be tested where it does.</summary>
    internal static bool ReplacesInOneStep { get; set; } = !OperatingSystem.IsWindows();

    /// <summary>Makes an empty segment at a path.</summary>
    /// <exception cref="IOException">There is no space, or it cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public static void Create(string path, long maxBytes, in TimbreKey owner)
    {
        var temporary = Temporary(path);
        Build(temporary, null, Math.Min(FirstBytes, maxBytes), MinBytes, owner, 0);
        PutInPlace(temporary, path, null);
    }

    /// <summary>Replaces a segment by a copy of what is most worth keeping, larger where that is needed and allowed.</summary>
    /// <param name="edit">The turn at the segment.</param>
    /// <param name="incoming">Bytes of the record that needs room.</param>
    /// <param name="maxBytes">The largest file allowed.</param>
    /// <param name="owner">Whose voices these are.</param>
    /// <exception cref="IOException">There is no space for the copy.</exception>
    public static void Compact(SegmentEdit edit, int incoming, long maxBytes, in TimbreKey owner)
    {
        var need = SegmentEdit.Align(incoming) + edit.Live.Sum(entry => entry.Space);
        var bytes = edit.Map.FileBytes;
        maxBytes = Math.Max(bytes, maxBytes);
        while (bytes < maxBytes && (need > Room(bytes) || edit.Live.Count + 1 > SegmentHeader.SlotsFor(bytes) / 2))
            bytes = Math.Min(2 * bytes, maxBytes);

        var pinned = edit.Live.Where(entry => entry.Pinned).ToList();
        var pinnedNeed = SegmentEdit.Align(incoming) + pinned.Sum(entry => entry.Space);
        if (!Holds(bytes, pinnedNeed, pinned.Count))
            throw new IOException("It is full of pinned voices.");
        var minBytes = Math.Max(MinBytes, bytes / 4);
        while (minBytes < bytes && !Holds(minBytes, pinnedNeed, pinned.Count))
            minBytes = Math.Min(2 * minBytes, bytes);

        DeleteLeftovers(edit.Map.Path);
        SegmentSteps.At("leftovers deleted");
        var temporary = Temporary(edit.Map.Path);
        Build(temporary, edit, bytes, minBytes, owner, incoming);
        SegmentSteps.At("copy complete");
        PutInPlace(temporary, edit.Map.Path, edit.Map);
    }

    /// <summary>The largest record that a segment which may grow to this size takes.</summary>
    public static long MaxRecord(long maxBytes) => Room(maxBytes) / 2;

    private static bool Holds(long fileBytes, long need, int entries) =>
        need <= fileBytes - SegmentHeader.DataOffsetFor(fileBytes) && entries < SegmentHeader.SlotsFor(fileBytes) / 2;

    /// <summary>What of a file's space is filled at the most when it is new: the rest is for what comes before the next compaction.</summary>
    private static long Room(long fileBytes) => (fileBytes - SegmentHeader.DataOffsetFor(fileBytes)) / 4 * 3;

    // Where there is no space for the size wanted, a smaller one (that keeps fewer voices) is better than none.
    private static void Build(string path, SegmentEdit? source, long bytes, long minBytes, in TimbreKey owner, int incoming)
    {
        while (true)
        {
            try
            {
                using var stream = PrivateFile.Create(path);
                SegmentSteps.At("file created");
                PrivateFile.Allocate(stream.SafeFileHandle, bytes);
                SegmentSteps.At("space allocated");
                using var mapping = MemoryMappedFile.CreateFromFile(stream, null, bytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None,
                    leaveOpen: true);
                using var view = mapping.CreateViewAccessor(0, bytes);
                var header = SegmentHeader.Create(bytes, owner);
                view.Write(0, ref header);
                view.Write(SegmentHeader.ClockOffset, source?.Map.Clock ?? 0);
                SegmentSteps.At("header written");
                break;
            }
            catch (IOException) when (bytes > minBytes)
            {
                PrivateFile.TryDelete(path);
                bytes = Math.Max(minBytes, bytes / 2);
            }
            catch
            {
                PrivateFile.TryDelete(path);
                throw;
            }
        }
        if (source is not null)
            Copy(source, path, owner, incoming);
    }

    private static void Copy(SegmentEdit source, string path, in TimbreKey owner, int incoming)
    {
        var map = SegmentMap.TryOpen(path, owner, out var fault) ?? throw new IOException($"The new segment cannot be used: {fault}.");
        try
        {
            var target = SegmentEdit.Begin(map);
            var room = Room(map.FileBytes) - SegmentEdit.Align(incoming);
            var slots = map.SlotCount / 2 - 1;
            var (names, notes) = Names(source);
            foreach (var entry in source.ByWorth())
            {
                if (entry.Slot.Kind != SegmentKind.Voice)
                    continue;
                // A voice takes its names along: one that others cannot find by its name is not worth its room.
                var own = names.GetValueOrDefault(entry.Slot.Key) ?? [];
                room -= entry.Space + own.Sum(name => name.Space);
                if ((room < 0 && !entry.Pinned) || target.Live.Count + 1 + own.Count > slots || !TryCopy(source, target, entry))
                    continue;
                foreach (var name in own)
                    TryCopy(source, target, name);
            }
            SegmentSteps.At("voices copied");
            // What was removed is remembered for a while, so that processes that still hold it learn of it.
            foreach (var note in notes.Take(Math.Min(MaxRemovalNotes, Math.Max(0, slots - target.Live.Count))))
                TryCopy(source, target, note);
            SegmentSteps.At("names copied");
        }
        finally
        {
            map.Exit();
        }
    }

    /// <summary>The names of each voice, and notes of removal, the latest first.</summary>
    private static (Dictionary<TimbreKey, List<SegmentEdit.Entry>> Names, List<SegmentEdit.Entry> Notes) Names(SegmentEdit source)
    {
        var (names, notes) = (new Dictionary<TimbreKey, List<SegmentEdit.Entry>>(), new List<SegmentEdit.Entry>());
        foreach (var entry in source.ByWorth())
        {
            if (entry.Slot.Kind != SegmentKind.Name
                || !NameRecord.TryDecode(source.Map.Bytes(entry.Slot.Offset, entry.Slot.Length), out _, out var voice))
                continue;
            if (voice == default)
                notes.Add(entry);
            else
                (names.TryGetValue(voice, out var own) ? own : names[voice] = []).Add(entry);
        }
        return (names, notes);
    }

    private static bool TryCopy(SegmentEdit source, SegmentEdit target, in SegmentEdit.Entry entry) =>
        source.IsSound(entry)
        && target.TryAppend(entry.Slot.Key, entry.Slot.Kind, source.Map.Bytes(entry.Slot.Offset, entry.Slot.Length), entry.Pinned, entry.LastUsed);

    private static void PutInPlace(string temporary, string path, SegmentMap? old)
    {
        SegmentSteps.At("before the swap");
        if (!ReplacesInOneStep && old is not null)
        {
            // A mapped file cannot be replaced, yet it can be renamed. Readers that see the mark look the path up again.
            Volatile.Write(ref old.Retired, 1);
            SegmentSteps.At("old one marked");
            File.Move(path, path + RetiredMark + Guid.NewGuid().ToString("N"));
            SegmentSteps.At("old one moved");
        }
        File.Move(temporary, path, overwrite: true);
        SegmentSteps.At("swapped");
    }

    /// <summary>Where a writer died after moving the old file away and before the new one had its name: takes the old one back.</summary>
    public static bool TryTakeBack(string path)
    {
        if (Siblings(path, RetiredMark).OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault() is not { } newest)
            return false;
        File.Move(newest, path);
        return true;
    }

    /// <summary>Whether a writer is just replacing the file in two moves, or died over it.</summary>
    public static bool IsBeingReplaced(string path) => Directory.Exists(Path.GetDirectoryName(path)) && Siblings(path, RetiredMark).Length > 0;

    /// <summary>Deletes what writers that died left behind, and retired segments that nobody maps any more.</summary>
    private static void DeleteLeftovers(string path)
    {
        foreach (var file in Siblings(path, TemporaryMark).Concat(Siblings(path, RetiredMark)))
            PrivateFile.TryDelete(file);
        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Siblings(path, ".").Where(file => file.EndsWith(ExtractionMark, StringComparison.Ordinal)))
        {
            try
            {
                FileLock.TryAcquire(file, TimeSpan.Zero, deleteAfterwards: true)?.Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not ours.
            }
        }
    }

    /// <summary>The file whose lock says that somebody extracts a voice.</summary>
    public static string ExtractionPath(string path, in TimbreKey key) => $"{path}.{key.ToString()[..16]}{ExtractionMark}";

    private static string Temporary(string path) => path + TemporaryMark + Guid.NewGuid().ToString("N");

    private static string[] Siblings(string path, string mark) =>
        Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + mark + "*");
}
