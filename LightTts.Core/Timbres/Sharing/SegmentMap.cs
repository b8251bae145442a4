using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LightTts.FileSystem;
using Microsoft.Win32.SafeHandles;

namespace LightTts.Timbres.Sharing;

/// <summary>A segment's file in memory. It is unmapped when the last thread that is inside has left.</summary>
internal sealed unsafe class SegmentMap
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly SegmentHeader _header;
    private readonly int _slotMask;
    private int _users = 1;

    private SegmentMap(string path, SafeFileHandle file, MemoryMappedFile mapping, MemoryMappedViewAccessor view, byte* start,
        in SegmentHeader header)
    {
        (Path, _file, _mapping, _view, _header) = (path, file, mapping, view, header);
        _start = start;
        _slotMask = (int)header.SlotCount - 1;
    }

    public string Path { get; }

    public long FileBytes => _header.FileBytes;

    public long DataOffset => _header.DataOffset;

    public int SlotCount => (int)_header.SlotCount;

    /// <summary>Counts publications: the segment's clock. Order of use is measured in it, so
    /// that no wall clock matters and readers between two publications share the line.</summary>
    public ref ulong Clock => ref *(ulong*)(_start + SegmentHeader.ClockOffset);

    /// <summary>Not zero where a writer is about to put (or has put) another file in its
    /// place; used where the system cannot replace a mapped file in one step.</summary>
    public ref ulong Retired => ref *(ulong*)(_start + SegmentHeader.RetiredOffset);

    /// <summary>Maps a segment.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="owner">Whose voices it has to hold.</param>
    /// <param name="fault">Why it cannot be used.</param>
    /// <exception cref="IOException">It cannot be opened, or is another user's.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static SegmentMap? TryOpen(string path, in TimbreKey owner, out string? fault)
    {
        var file = PrivateFile.Open(path);
        MemoryMappedFile? mapping = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            // Nothing is touched before the size is known to cover it: a page behind the end of a file is a SIGBUS.
            var length = RandomAccess.GetLength(file);
            if (length < SegmentHeader.PageBytes)
            {
                fault = "it is too short for a segment of voices";
                file.Dispose();
                return null;
            }
            SegmentHeader header = default;
            RandomAccess.Read(file, MemoryMarshal.AsBytes(new Span<SegmentHeader>(ref header)), 0);
            fault = header.Fault(length, owner);
            if (fault is not null)
            {
                file.Dispose();
                return null;
            }
            PrivateFile.MakePrivate(file);
            mapping = MemoryMappedFile.CreateFromFile(file, null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None,
                leaveOpen: true);
            view = mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.ReadWrite);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new SegmentMap(path, file, mapping, view, start, header);
        }
        catch
        {
            view?.Dispose();
            mapping?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Keeps it mapped until <see cref="Exit"/>. False where it is gone.</summary>
    public bool TryEnter()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
                return true;
            users = seen;
        }
        return false;
    }

    /// <summary>Undoes <see cref="TryEnter"/>. Called once more, by its owner, it lets go of the mapping.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
        _file.Dispose();
    }

    /// <summary>Whether it can still be used. Asked before every use: somebody may have replaced, deleted, cut or overwritten the file.</summary>
    public SegmentState CheckState()
    {
        FileFacts facts;
        try
        {
            facts = FileFacts.Of(_file);
        }
        catch (IOException)
        {
            return SegmentState.Damaged;
        }
        if (facts.Length != _header.FileBytes)
            return SegmentState.Damaged;
        if (!new ReadOnlySpan<byte>(_start,
            Unsafe.SizeOf<SegmentHeader>()).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<SegmentHeader>(in _header))))
            return SegmentState.Damaged;
        return facts.Links == 0 || Volatile.Read(ref Retired) != 0 ? SegmentState.Replaced : SegmentState.Current;
    }

    /// <summary>Whether the file at <see cref="Path"/> is still this one.</summary>
    public bool IsAtItsPath() => FileFacts.Of(Path) is { } facts && facts.IsSameFile(FileFacts.Of(_file));

    /// <summary>Finds the newest intact slot of a key.</summary>
    /// <returns>Its number, or -1.</returns>
    public int Find(in TimbreKey key, SegmentKind kind, out SegmentSlot found)
    {
        found = default;
        var best = -1;
        var index = (int)key.B & _slotMask;
        for (var probes = 0; probes <= _slotMask; probes++, index = (index + 1) & _slotMask)
        {
            var slot = (SegmentSlot*)SlotStart(index);
            var generation = Volatile.Read(ref slot->Generation);
            if (generation == SegmentSlot.Empty)
                break;
            if (generation == SegmentSlot.Dead || generation <= found.Generation || slot->Key != key)
                continue;
            var copy = *slot;
            if (copy.Generation != generation || copy.Kind != kind || !copy.IsIntact(DataOffset, FileBytes))
                continue;
            (best, found) = (index, copy);
        }
        return best;
    }

    /// <summary>The first slot of a key's search that was never used.</summary>
    public int FindEmpty(in TimbreKey key)
    {
        var index = (int)key.B & _slotMask;
        while (Generation(index) != SegmentSlot.Empty)
            index = (index + 1) & _slotMask;
        return index;
    }

    public SegmentSlot Slot(int index) => *(SegmentSlot*)SlotStart(index);

    /// <summary>Writes all of a slot but its generation.</summary>
    public void SetSlot(int index, SegmentSlot slot)
    {
        slot.Generation = SegmentSlot.Empty;
        *(SegmentSlot*)SlotStart(index) = slot;
    }

    public ref ulong Generation(int index) => ref *(ulong*)SlotStart(index);

    public ref ulong LastUsed(int index) => ref *(ulong*)(SlotStart(index) + SegmentSlot.LastUsedOffset);

    public ref uint Pinned(int index) => ref *(uint*)(SlotStart(index) + SegmentSlot.PinnedOffset);

    /// <summary>Says that a slot's record was used. Writes only where that is news, so that readers do not fight over the line.</summary>
    public void Touch(int index)
    {
        ref var lastUsed = ref LastUsed(index);
        var now = Volatile.Read(ref Clock);
        if (Volatile.Read(ref lastUsed) != now)
            Volatile.Write(ref lastUsed, now);
    }

    public Span<byte> Bytes(long offset, int length) => new(_start + offset, length);

    private byte* SlotStart(int index) => _start + SegmentHeader.PageBytes + (long)index * SegmentSlot.Bytes;
}
