using System.Diagnostics;
using LightTts.FileSystem;
using LightTts.Tests.Support;
using LightTts.Tests.Timbres;
using LightTts.Timbres;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LightTts.Tests.Faults;

/// <summary>Rows 23 to 25 of the fault matrix: a segment that is damaged, foreign, from another version, in the way, or without room.</summary>
public sealed class TimbreSegmentFaultTests : IDisposable
{
    private const int Voices = 20;
    private readonly MemoryFolder _folder = new();
    private readonly FakeLogger _logger = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Segment => _folder["voices.seg"];

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Damages =>
        ["cut to 1 byte", "cut in the header", "cut in the table", "cut in the records", "extended", "all zero", "first page zero", "random",
        "other magic", "newer version",
         "other byte order", "other float", "other owner", "size lies", "slots lie", "offset lies", "text file"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_file_that_is_no_segment_is_left_alone_and_another_is_used_beside_it(string damage)
    {
        await FillAsync();
        var bytes = Damage(await File.ReadAllBytesAsync(Segment, Token), damage);
        await File.WriteAllBytesAsync(Segment, bytes, Token);

        using (var store = FakeVoices.Store(Segment, logger: _logger))
        {
            Assert.Equal(TimbreSource.Extracted, (await store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token)).Source);
            Assert.Equal((3001, LogLevel.Warning), (Assert.Single(_logger.Collector.GetSnapshot()).Id.Id, _logger.LatestRecord.Level));
        }
        using var other = FakeVoices.Store(Segment);
        Assert.Equal(TimbreSource.Segment, (await other.AddAsync(FakeVoices.Clip(1), cancellationToken: Token)).Source);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Segment, Token));
    }

    [Fact]
    public async Task An_empty_file_becomes_the_segment()
    {
        await File.WriteAllBytesAsync(Segment, [], Token);
        using (var store = FakeVoices.Store(Segment, logger: _logger))
            await store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token);
        using var other = FakeVoices.Store(Segment);
        Assert.NotNull(other.Get(FakeVoices.Id(1)));
        Assert.Equal(0, _logger.Collector.Count);
        Assert.Equal(1 << 20, new FileInfo(Segment).Length);
    }

    [Fact]
    public async Task Every_header_bit_matters()
    {
        await FillAsync();
        var whole = await File.ReadAllBytesAsync(Segment, Token);
        var owner = TimbreKey.OfOwner(FakeVoices.Extractor, null);
        for (var bit = 0; bit < 8 * System.Runtime.CompilerServices.Unsafe.SizeOf<SegmentHeader>(); bit++)
        {
            var header = whole[..System.Runtime.CompilerServices.Unsafe.SizeOf<SegmentHeader>()];
            header[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotNull(System.Runtime.InteropServices.MemoryMarshal.Read<SegmentHeader>(header).Fault(whole.Length, owner));
        }
    }

    [Fact]
    public async Task Flipped_bits_lose_voices_and_never_change_one()
    {
        var random = new Random(23);
        await FillAsync();
        var whole = await File.ReadAllBytesAsync(Segment, Token);
        var data = (int)SegmentHeader.DataOffsetFor(whole.Length);
        int read = 0, lost = 0;
        for (var round = 0; round < FullRun.Pick(50, 1000); round++)
        {
            var bytes = whole.ToArray();
            for (var flip = 0; flip < 10; flip++)
                bytes[random.Next(3) == 0 ? random.Next(SegmentHeader.RetiredOffset + 8, data)
                : random.Next(data, data + Voices * 8000)] ^= (byte)(1 << random.Next(8));
            using var damaged = new MemoryFolder();
            await File.WriteAllBytesAsync(damaged["s"], bytes, Token);
            using var store = FakeVoices.Store(damaged["s"]);
            for (var voice = 0; voice < Voices; voice++)
            {
                if (store.Get(FakeVoices.Id(voice)) is { } timbre)
                {
                    read++;
                    Assert.True(FakeVoices.Are(timbre.Features, voice));
                }
                else
                {
                    lost++;
                    Assert.True(FakeVoices.Are((await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token)).Features, voice));
                }
            }
            // What was lost has been published anew.
            using var other = FakeVoices.Store(damaged["s"], onExtract: () => Assert.Fail("not repaired"));
            for (var voice = 0; voice < Voices; voice++)
                Assert.True(FakeVoices.Are((await other.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token)).Features, voice));
        }
        Assert.True(read > 0 && lost > 0, $"{read} read, {lost} lost");
    }

    public static TheoryData<string> LiveDamages =>
        ["cut to 0", "cut to 5000", "extended", "header zero", "deleted", "records zero", "table zero", "folder deleted"];

    [Theory]
    [MemberData(nameof(LiveDamages))]
    public async Task A_segment_may_break_while_it_is_mapped(string damage)
    {
        using var store = FakeVoices.Store(Segment, maxTimbres: 2, logger: _logger);
        for (var voice = 0; voice < Voices; voice++)
            await store.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token);
        switch (damage)
        {
            case "deleted":
                File.Delete(Segment);
                break;
            case "folder deleted":
                Directory.Delete(_folder.Path, recursive: true);
                break;
            default:
                using (var file = new FileStream(Segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
                {
                    var table = (int)SegmentHeader.DataOffsetFor(file.Length) - SegmentHeader.PageBytes;
                    if (damage == "extended")
                        file.SetLength(file.Length + 4096);
                    else if (damage.StartsWith("cut", StringComparison.Ordinal))
                        file.SetLength(int.Parse(damage[7..], System.Globalization.CultureInfo.InvariantCulture));
                    else
                    {
                        file.Position = damage == "header zero" ? 0 : damage == "table zero" ? SegmentHeader.PageBytes
                            : SegmentHeader.PageBytes + table;
                        file.Write(new byte[damage == "header zero" ? 128 : damage == "table zero" ? table : 300_000]);
                    }
                }
                break;
        }
        for (var round = 0; round < 2; round++)
            for (var voice = 0; voice < Voices; voice++)
            {
                Assert.True(store.Get(FakeVoices.Id(voice)) is not { } timbre || FakeVoices.Are(timbre.Features, voice));
                Assert.True(FakeVoices.Are((await store.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token)).Features,
                    voice));
                Assert.True(FakeVoices.Are(store.Get($"v{voice}")!.Features, voice));
            }
        Directory.CreateDirectory(_folder.Path);
        Assert.InRange(_logger.Collector.Count, 0, 1);
    }

    [Fact]
    public async Task Full_disk()
    {
        var mount = _folder["small"];
        Directory.CreateDirectory(mount);
        Assert.SkipUnless(Mount("-t", "tmpfs", "-o", "size=2500k", "tmpfs", mount), "mounting a small tmpfs needs root");
        try
        {
            // 2.5 MB hold one segment of 2 MB, made smaller than wanted, and no copy of
            // it: compaction takes what there is, or voices stay in this process.
            using var store = FakeVoices.Store(Path.Combine(mount, "s"), segmentBytes: 64 << 20, maxTimbres: 2000, logger: _logger);
            await AddAndCheckAsync(store, 600);
            Assert.InRange(_logger.Collector.Count, 0, 1);

            File.WriteAllBytes(Path.Combine(mount, "filler"), new byte[400_000]);
            Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(Path.Combine(mount, "more"), new byte[4 << 20]));
            using var none = FakeVoices.Store(Path.Combine(mount, "t"), logger: _logger);
            _logger.Collector.Clear();
            await AddAndCheckAsync(none, 50);
        }
        finally
        {
            Assert.True(Unmount(mount));
        }
    }

    [Fact]
    public async Task No_space_at_all_is_one_warning()
    {
        var mount = _folder["tiny"];
        Directory.CreateDirectory(mount);
        Assert.SkipUnless(Mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", mount), "mounting a small tmpfs needs root");
        try
        {
            using var store = FakeVoices.Store(Path.Combine(mount, "s"), logger: _logger);
            await AddAndCheckAsync(store, 20);
            Assert.Equal(3002, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);
        }
        finally
        {
            Assert.True(Unmount(mount));
        }
    }

    [Fact]
    public async Task Read_only_folder()
    {
        var mount = _folder["readonly"];
        Directory.CreateDirectory(mount);
        Assert.SkipUnless(Mount("-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", mount),
            "mounting a read-only tmpfs needs root (and root may write into any other folder)");
        try
        {
            using var store = FakeVoices.Store(Path.Combine(mount, "s"), logger: _logger);
            await AddAndCheckAsync(store, 20);
            Assert.Equal(3002, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);
        }
        finally
        {
            Assert.True(Unmount(mount));
        }
    }

    [Theory]
    [InlineData("chown 12345", true)]
    [InlineData("chmod 0666", false)]
    [InlineData("chmod 0620", false)]
    public async Task A_segment_that_another_user_made_or_can_write_is_refused(string command, bool needsRoot)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || (needsRoot && Environment.UserName != "root"), "giving a file away needs root");
        await FillAsync();
        Assert.True(Run(command.Split(' ')[0], command.Split(' ')[1], Segment));
        using var store = FakeVoices.Store(Segment, logger: _logger);
        Assert.Null(store.Get(FakeVoices.Id(1)));
        await AddAndCheckAsync(store, 5);
        var warning = Assert.Single(_logger.Collector.GetSnapshot());
        Assert.Equal(3001, warning.Id.Id);
        Assert.Contains("Another user", warning.Message);
    }

    [Fact]
    public async Task What_is_in_the_way_is_no_reason_to_fail()
    {
        Directory.CreateDirectory(Segment);
        using var store = FakeVoices.Store(Segment, logger: _logger);
        await AddAndCheckAsync(store, 5);
        Assert.Equal(3001, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);

        _logger.Collector.Clear();
        await File.WriteAllTextAsync(_folder["file"], "x", Token);
        using var below = FakeVoices.Store(Path.Combine(_folder["file"], "s"), logger: _logger);
        await AddAndCheckAsync(below, 5);
        Assert.Equal(3002, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);
    }

    [Fact]
    public async Task A_writer_that_is_stopped_does_not_stop_the_others()
    {
        using var store = FakeVoices.Store(Segment, logger: _logger);
        await store.AddAsync(FakeVoices.Clip(1000), cancellationToken: Token);
        using (FileLock.TryAcquire(SegmentFiles.LockPath(Segment), TimeSpan.Zero))
            await AddAndCheckAsync(store, 20);
        Assert.Equal(3003, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);
        await AddAndCheckAsync(store, 25);
        using var other = FakeVoices.Store(Segment);
        Assert.NotNull(other.Get(FakeVoices.Id(24)));
    }

    [Fact]
    public async Task Ten_thousand_voices_go_through_64_megabytes()
    {
        using var store = FakeVoices.Store(Segment, segmentBytes: 64 << 20, maxTimbres: 4096, frames: 100);
        using var reader = FakeVoices.Store(Segment, maxTimbres: 1);
        for (var voice = 0; voice < 10_000; voice++)
        {
            await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
            if (voice % 10 == 0)
                Assert.True(FakeVoices.Are(reader.Get(FakeVoices.Id(voice))!.Features, voice));
        }
        Assert.Equal(64 << 20, new FileInfo(Segment).Length);
        Assert.InRange(reader.List().Count, 1000, 2000);
    }

    private static async Task AddAndCheckAsync(TimbreStore store, int voices)
    {
        for (var voice = 0; voice < voices; voice++)
            Assert.True(FakeVoices.Are((await store.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token)).Features, voice));
    }

    private async Task FillAsync()
    {
        using var store = FakeVoices.Store(Segment);
        await AddAndCheckAsync(store, Voices);
    }

    private static byte[] Damage(byte[] bytes, string damage)
    {
        switch (damage)
        {
            case "cut to 1 byte": return bytes[..1];
            case "cut in the header": return bytes[..100];
            case "cut in the table": return bytes[..10_000];
            case "cut in the records": return bytes[..100_000];
            case "extended": return [.. bytes, 0];
            case "all zero": return new byte[bytes.Length];
            case "first page zero": bytes.AsSpan(0, 4096).Clear(); break;
            case "random": new Random(1).NextBytes(bytes); break;
            case "text file": return "not a segment"u8.ToArray();
            default:
                var header = System.Runtime.InteropServices.MemoryMarshal.Read<SegmentHeader>(bytes);
                switch (damage)
                {
                    case "other magic": header.Magic++; break;
                    case "newer version": header.Version++; break;
                    case "other byte order": header.ByteOrder = 0x0403_0201; break;
                    case "other float": header.FloatMark = 2; break;
                    case "other owner": header.Owner = TimbreKey.OfOwner("other", null); break;
                    case "size lies": header.FileBytes *= 2; break;
                    case "slots lie": header.SlotCount *= 2; break;
                    case "offset lies": header.DataOffset = 1L << 60; break;
                }
                header.Checksum = header.ComputeChecksum();
                System.Runtime.InteropServices.MemoryMarshal.Write(bytes, in header);
                break;
        }
        return bytes;
    }

    private static bool Mount(params string[] arguments) => OperatingSystem.IsLinux() && Environment.UserName == "root" && Run("mount", arguments);

    private static bool Unmount(string path) => Run("umount", path);

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
        process!.WaitForExit();
        return process.ExitCode == 0;
    }
}
