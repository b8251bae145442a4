using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace LightTts.Weights;

/// <summary>Where an uncompressed entry of a zip file lies in it.</summary>
internal readonly record struct ZipEntry(string Name, long Offset, long Length);

/// <summary>Reads the directory of a zip file of stored entries (as torch.save writes
/// them), zip64 included, and believes nothing that it does not check:
/// local headers must agree with the directory, and entries must lie within the file without overlapping.</summary>
internal sealed class ZipDirectory
{
    private const uint LocalSignature = 0x04034b50, CentralSignature = 0x02014b50, EndSignature = 0x06054b50;
    private const uint End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;

    /// <summary>Entries up to this size have their checksum verified; checking gigabytes of weights would cost more than it finds.</summary>
    private const int ChecksumLimit = 64 * 1024;

    private const int MaxEntries = 200_000;

    private readonly MappedFile _file;
    private readonly Dictionary<string, ZipEntry> _entries = new(StringComparer.Ordinal);

    private ZipDirectory(MappedFile file) => _file = file;

    public IReadOnlyDictionary<string, ZipEntry> Entries => _entries;

    /// <exception cref="TtsModelLoadException">Anything in the file is not as it should be.</exception>
    public static ZipDirectory Read(MappedFile file)
    {
        var directory = new ZipDirectory(file);
        var (start, end, count) = directory.FindDirectory();
        directory.ReadEntries(start, end, count);
        return directory;
    }

    private (long Start, long End, long Count) FindDirectory()
    {
        var endRecord = FindEnd();
        var end = _file.Span(endRecord, 22);
        long count = U16(end, 10), size = U32(end, 12), start = U32(end, 16);
        if (U16(end, 4) is not (0 or 0xFFFF) || U16(end, 6) is not (0 or 0xFFFF) || U16(end, 8) != U16(end, 10))
            throw Bad("it is split over several files");
        var directoryEnd = endRecord;
        if (endRecord >= 20 && U32(_file.Span(endRecord - 20, 20), 0) == Locator64Signature)
        {
            var record = U64(_file.Span(endRecord - 20, 20), 8);
            if (record < 0 || record > endRecord - 20 - 56)
                throw Bad("its zip64 end record lies outside the file");
            var end64 = _file.Span(record, 56);
            if (U32(end64, 0) != End64Signature || U64(end64, 4) != endRecord - 20 - record - 12)
                throw Bad("its zip64 end record is damaged");
            if (U32(end64, 16) != 0 || U32(end64, 20) != 0 || U64(end64, 24) != U64(end64, 32))
                throw Bad("it is split over several files");
            // Where the old record has a number at all, the two must agree: readers that differ in which they trust would see two different archives.
            if ((count != 0xFFFF && count != U64(end64, 32)) || (size != 0xFFFFFFFF && size != U64(end64, 40))
                || (start != 0xFFFFFFFF && start != U64(end64, 48)))
                throw Bad("its zip64 end record contradicts its end record");
            (count, size, start, directoryEnd) = (U64(end64, 32), U64(end64, 40), U64(end64, 48), record);
        }
        if (start < 0 || size < 0 || start > directoryEnd || size != directoryEnd - start)
            throw Bad("its directory does not lie where its end record says");
        if (count < 0 || count > MaxEntries || count * 46 > size)
            throw Bad($"its directory of {size} bytes cannot hold {count} entries");
        return (start, directoryEnd, count);
    }

    private long FindEnd()
    {
        // The record ends with a comment of up to 65,535 bytes that must reach the file's end exactly.
        var window = (int)Math.Min(_file.Length, 22 + 65_535);
        var tail = _file.Span(_file.Length - window, window);
        for (var at = window - 22; at >= 0; at--)
            if (U32(tail, at) == EndSignature && at + 22 + U16(tail, at + 20) == window)
                return _file.Length - window + at;
        throw Bad("its end record is missing; the file is truncated");
    }

    private void ReadEntries(long start, long end, long count)
    {
        var ranges = new List<(long Start, long End, string Name)>((int)count);
        var at = start;
        for (var i = 0L; i < count; i++)
        {
            if (end - at < 46 || U32(_file.Span(at, 46), 0) != CentralSignature)
                throw Bad($"entry {i} of its directory is damaged");
            var header = _file.Span(at, 46);
            int nameLength = U16(header, 28), extraLength = U16(header, 30), commentLength = U16(header, 32);
            if (end - at - 46 < nameLength + extraLength + commentLength)
                throw Bad($"entry {i} of its directory is truncated");
            ReadEntry(header, _file.Span(at + 46, nameLength), _file.Span(at + 46 + nameLength, extraLength), start, ranges);
            at += 46 + nameLength + extraLength + commentLength;
        }
        if (at != end)
            throw Bad("its directory has bytes that belong to no entry");
        ranges.Sort();
        for (var i = 1; i < ranges.Count; i++)
            if (ranges[i].Start < ranges[i - 1].End)
                throw Bad($"entries '{ranges[i - 1].Name}' and '{ranges[i].Name}' overlap");
    }

    private void ReadEntry(ReadOnlySpan<byte> header, ReadOnlySpan<byte> nameBytes, ReadOnlySpan<byte> extra, long dataEnd,
        List<(long, long, string)> ranges)
    {
        var name = CheckName(nameBytes);
        int flags = U16(header, 8), method = U16(header, 10);
        if ((flags & 0x2041) != 0)
            throw Bad($"entry '{name}' is encrypted");
        if (method != 0)
            throw Bad($"entry '{name}' is compressed (method {method}); torch.save stores its entries uncompressed, so this is not an original "
            + $"checkpoint");
        long packed = U32(header, 20), length = U32(header, 24), local = U32(header, 42);
        if (U16(header, 34) is not (0 or 0xFFFF))
            throw Bad($"entry '{name}' is in another file");
        ReadZip64(extra, name, ref length, ref packed, ref local);
        if (packed != length)
            throw Bad($"entry '{name}' is stored, but its sizes {packed} and {length} differ");
        if (length < 0 || local < 0 || local > dataEnd - 30)
            throw Bad($"entry '{name}' lies outside the file");
        var localHeader = _file.Span(local, 30);
        int localName = U16(localHeader, 26), localExtra = U16(localHeader, 28);
        var data = local + 30 + localName + localExtra;
        if (U32(localHeader, 0) != LocalSignature || data > dataEnd || length > dataEnd - data)
            throw Bad($"entry '{name}' of {length} bytes lies outside the file");
        if (U16(localHeader, 8) != method || (U16(localHeader, 6) & 0x2041) != 0 || !_file.Span(local + 30, localName).SequenceEqual(nameBytes))
            throw Bad($"the local header of entry '{name}' contradicts the directory");
        // Bit 3: the sizes follow the data, and the local header may leave them open.
        long localLength = U32(localHeader, 22);
        if ((flags & 8) == 0 && localLength != 0xFFFFFFFF && localLength != length)
            throw Bad($"the local header of entry '{name}' contradicts the directory");
        // A checksum of zero is what writers leave that were told not to compute it.
        var checksum = U32(header, 16);
        if (checksum != 0 && length <= ChecksumLimit && Crc32.HashToUInt32(_file.Span(data, (int)length)) != checksum)
            throw Bad($"the checksum of entry '{name}' is wrong; download the file again");
        if (!_entries.TryAdd(name, new ZipEntry(name, data, length)))
            throw Bad($"entry '{name}' occurs twice");
        ranges.Add((local, data + length, name));
    }

    private void ReadZip64(ReadOnlySpan<byte> extra, string name, ref long length, ref long packed, ref long local)
    {
        bool needLength = length == 0xFFFFFFFF, needPacked = packed == 0xFFFFFFFF, needLocal = local == 0xFFFFFFFF;
        while (extra.Length >= 4)
        {
            int id = U16(extra, 0), size = U16(extra, 2);
            if (size > extra.Length - 4)
                throw Bad($"the extra field of entry '{name}' is damaged");
            var field = extra.Slice(4, size);
            if (id == 1)
            {
                if (needLength) length = Take(ref field, name);
                if (needPacked) packed = Take(ref field, name);
                if (needLocal) local = Take(ref field, name);
                return;
            }
            extra = extra[(4 + size)..];
        }
    }

    private long Take(ref ReadOnlySpan<byte> field, string name)
    {
        if (field.Length < 8)
            throw Bad($"the zip64 field of entry '{name}' is too short");
        var value = U64(field, 0);
        field = field[8..];
        return value;
    }

    private string CheckName(ReadOnlySpan<byte> bytes)
    {
        var name = Encoding.UTF8.GetString(bytes);
        if (name.Length is 0 or > 1024 || name.AsSpan().IndexOfAny('\\', '\0', ':') >= 0 || name[0] == '/'
            || name.Split('/').Any(part => part is "" or "." or "..") || name.Contains('\uFFFD'))
            throw Bad($"entry name '{(name.Length > 200 ? name[..200] : name)}' is not a plain relative path");
        return name;
    }

    private TtsModelLoadException Bad(string why) => new($"{_file.Path}: not a sound zip file: {why}. Download it again.");

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
