using System.Buffers.Binary;
using System.IO.Compression;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Weights;

/// <summary>Zip files that lie, and other files in a checkpoint's place.</summary>
public sealed class MaliciousZipTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static byte[] Good(TempFolder temp)
    {
        TorchZipWriter.Write(temp["good.pt"], [new("w", [4], ElementType.Float32, new byte[16]), new("v", [2], ElementType.Float32, new byte[8])]);
        return File.ReadAllBytes(temp["good.pt"]);
    }

    private static int Central(byte[] zip, int entry)
    {
        var at = -1;
        for (var i = 0; i <= entry; i++)
            at = zip.AsSpan(at + 1).IndexOf("PK\x01\x02"u8) + at + 1;
        return at;
    }

    private static int End(byte[] zip) => zip.AsSpan().LastIndexOf("PK\x05\x06"u8);

    private static byte[] Set16(byte[] zip, int at, ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(zip.AsSpan(at), value);
        return zip;
    }

    private static byte[] Set32(byte[] zip, int at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(zip.AsSpan(at), value);
        return zip;
    }

    /// <summary>Puts a zip64 end record before the end record, which then says "look there".</summary>
    private static byte[] WithZip64(byte[] zip, Action<byte[]> lie)
    {
        var end = End(zip);
        var record = new byte[76];
        Set32(record, 0, 0x06064b50);
        record[4] = 44;
        var (count, size, start) = (zip[end + 10], BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(end + 12)),
            BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(end + 16)));
        record[24] = record[32] = count;
        Set32(record, 40, size);
        Set32(record, 48, start);
        Set32(record, 56, 0x07064b50);
        Set32(record, 64, (uint)end);
        record[72] = 1;
        lie(record);
        var tail = zip[end..];
        Set32(tail, 16, uint.MaxValue);
        return [.. zip[..end], .. record, .. tail];
    }

    private static readonly (string Name, Func<byte[], byte[]> Damage, string Expected)[] Cases =
    [
        ("encrypted", z => Set16(z, Central(z, 0) + 8, 1), "encrypted"),
        ("strongly encrypted", z => Set16(z, Central(z, 0) + 8, 0x41), "encrypted"),
        ("masked directory", z => Set16(z, Central(z, 0) + 8, 0x2000), "encrypted"),
        ("deflated", z => Set16(z, Central(z, 2) + 10, 8), "compressed (method 8)"),
        ("local header deflated", z => Set16(z, 8, 8), "contradicts the directory"),
        ("local header of another size", z => Set32(z, 22, 7), "contradicts the directory"),
        ("local header of another name", z => { z[30] = (byte)'b'; return z; }, "contradicts the directory"),
        ("sizes differ", z => Set32(z, Central(z, 2) + 20, 7), "differ"),
        ("entry larger than the file", z => Set32(Set32(z, Central(z, 2) + 20, 1 << 30), Central(z, 2) + 24, 1 << 30), "outside the file"),
        ("entry starts outside", z => Set32(z, Central(z, 2) + 42, 0x7ffffff0), "outside the file"),
        ("entry starts in the directory", z => Set32(z, Central(z, 2) + 42, (uint)Central(z, 0)), "outside the file"),
        ("entry on another disk", z => Set16(z, Central(z, 2) + 34, 3), "another file"),
        ("two entries over the same data", z => Set32(z, Central(z, 2) + 42, BinaryPrimitives.ReadUInt32LittleEndian(z.AsSpan(Central(z, 3) + 42))),
        "contradicts the directory"),
        ("zip64 field missing", z => Set32(z, Central(z, 2) + 24, uint.MaxValue), "differ"),
        ("wrong checksum", z => Set32(z, Central(z, 2) + 16, 0xdeadbeef), "checksum of entry 'archive/data/0'"),
        ("changed pickle", z => { z[70] ^= 1; return z; }, "checksum of entry 'archive/data.pkl'"),
        ("directory signature", z => { z[Central(z, 1) + 1] = 0; return z; }, "damaged"),
        ("name longer than the directory", z => Set16(z, Central(z, 4) + 28, 60_000), "truncated"),
        ("fewer entries than there are", z => Set16(Set16(z, End(z) + 8, 2), End(z) + 10, 2), "no entry"),
        ("more entries than there are", z => Set16(Set16(z, End(z) + 8, 6), End(z) + 10, 6), "entry 5"),
        ("65534 entries", z => Set16(Set16(z, End(z) + 8, 65534), End(z) + 10, 65534), "cannot hold 65534"),
        ("split archive", z => Set16(z, End(z) + 4, 1), "split"),
        ("directory elsewhere", z => Set32(z, End(z) + 16, 5), "does not lie where"),
        ("directory of another size", z => Set32(z, End(z) + 12, 5), "does not lie where"),
        ("comment beyond the end", z => Set16(z, End(z) + 20, 100), "end record is missing"),
        ("bytes after the end", z => [.. z, 0], "end record is missing"),
        ("bytes before the start", z => [.. "PK"u8, .. z], "does not lie where"),
        ("zip64: record outside", z => WithZip64(z, r => Set32(r, 64, 0x7fffffff)), "outside the file"),
        ("zip64: record at a negative place", z => WithZip64(z, r => r.AsSpan(64, 8).Fill(0xff)), "outside the file"),
        ("zip64: record of 2^63 bytes", z => WithZip64(z, r => r.AsSpan(4, 8).Fill(0xff)), "damaged"),
        ("zip64: 2^64 - 1 entries", z => WithZip64(z, r => { r.AsSpan(24, 8).Fill(0xff); r.AsSpan(32, 8).Fill(0xff); }), "contradicts"),
        ("zip64: other count", z => WithZip64(z, r => r[24] = r[32] = 1), "contradicts"),
        ("zip64: directory elsewhere", z => WithZip64(z, r => Set32(r, 48, 3)), "does not lie where"),
        ("zip64: negative directory", z => WithZip64(z, r => r.AsSpan(48, 8).Fill(0xff)), "does not lie where"),
        ("zip64: other size", z => WithZip64(z, r => Set32(r, 40, 3)), "contradicts"),
        ("a gzip file", _ => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0], "not a PyTorch checkpoint"),
        ("one byte", _ => [0x50], "not a PyTorch checkpoint"),
        ("PK only", _ => "PK"u8.ToArray(), "end record is missing"),
        ("empty", _ => [], "empty"),
        ("legacy torch.save", _ => [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'], "legacy PyTorch file"),
        ("bare pickle", _ => [0x80, 4, (byte)'N', (byte)'.'], "torch.save(torch.load("),
        ("Git LFS pointer", _ => "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"u8.ToArray(), "git lfs pull"),
    ];

    public static TheoryData<string> Names => [.. Cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void IsRefused(string name)
    {
        var (_, damage, expected) = Cases.Single(c => c.Name == name);
        var path = _temp.Write("bad.pt", damage(Good(_temp)));
        Assert.Contains(expected, Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheUndamagedFilesAreRead()
    {
        using (PyTorchCheckpoint.Open(_temp.Write("a.pt", Good(_temp)))) { }
        using (PyTorchCheckpoint.Open(_temp.Write("b.pt", WithZip64(Good(_temp), _ => { })))) { }
    }

    [Theory]
    [InlineData("../archive/data.pkl")]
    [InlineData("archive/../../etc/passwd")]
    [InlineData("/archive/data/1")]
    [InlineData("C:/archive/data")]
    [InlineData("archive\\data\\1")]
    [InlineData("archive//data")]
    [InlineData("archive/./data")]
    [InlineData("archive/")]
    [InlineData("")]
    public void NamesThatAreNotPlainPathsAreRefused(string name)
    {
        TorchZipWriter.WriteZip(_temp["bad.pt"], [new("archive/data.pkl", new PickleWriter().Ascii("}.").ToArray()), new(name, [1])]);
        Assert.Contains("plain relative path", Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["bad.pt"])).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("archive/data.pkl", "occurs twice")]
    [InlineData("other/data.pkl", "has 2")]
    [InlineData("archive/constants.pkl", "TorchScript")]
    public void AmbiguousArchivesAreRefused(string second, string expected)
    {
        TorchZipWriter.WriteZip(_temp["bad.pt"],
            [new("archive/data.pkl", new PickleWriter().Ascii("}.").ToArray()), new(second, new PickleWriter().Ascii("N.").ToArray())]);
        Assert.Contains(expected, Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["bad.pt"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void BigEndianCheckpointsAreRefused()
    {
        TorchZipWriter.WriteZip(_temp["bad.pt"],
            [new("archive/data.pkl", new PickleWriter().Ascii("}.").ToArray()), new("archive/byteorder", "big"u8.ToArray())]);
        Assert.Contains("big-endian", Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["bad.pt"])).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A small file that would unpack to a gigabyte is refused before anything is unpacked.</summary>
    [Fact]
    public void ZipBombsAreRefused()
    {
        using (var zip = ZipFile.Open(_temp["bomb.pt"], ZipArchiveMode.Create))
        using (var stream = zip.CreateEntry("archive/data.pkl", CompressionLevel.Fastest).Open())
            for (var i = 0; i < 64; i++)
                stream.Write(new byte[1 << 20]);
        Assert.Contains("compressed", Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["bomb.pt"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void OverlappingEntriesAreRefused()
    {
        // The local header of entry 3 lies inside the data of entry 2, as in bombs without compression.
        TorchZipWriter.WriteZip(_temp["inner"], [new("b", [1, 2, 3])]);
        var hidden = File.ReadAllBytes(_temp["inner"]);
        TorchZipWriter.WriteZip(_temp["bad.pt"], [new("a", hidden), new("b", [1, 2, 3])]);
        var zip = File.ReadAllBytes(_temp["bad.pt"]);
        var start = zip.AsSpan(1).IndexOf("PK\x03\x04"u8) + 1;
        // The central directory of the hidden file is found first by its signature, so count from the back.
        var last = zip.AsSpan().LastIndexOf("PK\x01\x02"u8);
        Set32(zip, last + 42, (uint)start);
        Assert.Contains("overlap", Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp.Write("bad.pt", zip))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TruncationAtEveryByteIsFound()
    {
        var good = Good(_temp);
        for (var length = 0; length < good.Length; length++)
            Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp.Write("cut.pt", good[..length])));
    }

    [Fact]
    public void MissingFilesAndFoldersAreNamed()
    {
        Assert.Contains("does not exist", Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["none.pt"])).Message,
            StringComparison.Ordinal);
        Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp.Path));
        Assert.Throws<TtsModelLoadException>(() => SafetensorsFile.Open(_temp["none.safetensors"]));
    }
}
