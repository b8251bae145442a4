using LightTts.FileSystem;
using LightTts.Tests.Support;
using LightTts.Timbres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Timbres;

/// <summary>Named voices on disk. A reboot is an empty shared memory: the segment is deleted and stores are opened anew.</summary>
public sealed class DurableTimbreTests : IDisposable
{
    private readonly MemoryFolder _folder = new();
    private readonly FakeLogger _logger = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Segment => _folder["shm/voices.seg"];

    private string Named => _folder["data/named"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Named_voices_are_there_after_a_reboot_and_anonymous_ones_are_not()
    {
        using (var store = Store())
        {
            await store.AddAsync(FakeVoices.Clip(1), "said", "bob", Token);
            await store.AddAsync(FakeVoices.Clip(2), cancellationToken: Token);
            Assert.True(store.Pin("bob"));
        }
        Reboot();
        using var later = Store(onExtract: () => Assert.Fail("extracted again"));
        var info = Assert.Single(later.List());
        Assert.Equal(("bob", "said", true, TimbreSource.Durable, TimeSpan.FromSeconds(0.5)),
            (info.Name, info.Transcript, info.Pinned, info.Source, info.Duration));
        var bob = later.Get("bob")!;
        Assert.Equal(("bob", "said", TimbreSource.Durable), (bob.Name, bob.Transcript, bob.Source));
        Assert.True(FakeVoices.Are(bob.Features, 1));
        Assert.Equal(bob.Id, (await later.AddAsync(FakeVoices.Clip(1), "said", cancellationToken: Token)).Id);
        using var other = Store();
        Assert.Equal(TimbreSource.Segment, other.Get("bob")!.Source);
        using var byId = Store();
        Assert.NotNull(byId.Get(bob.Id));
        Assert.Equal(0, _logger.Collector.Count);
    }

    [Fact]
    public async Task Thousands_of_named_voices_are_found_in_a_fresh_process_and_after_a_reboot()
    {
        var count = FullRun.Pick(1_000, 10_000);
        using (var store = Store())
            for (var voice = 0; voice < count; voice++)
                await store.AddAsync(FakeVoices.Clip(voice), name: $"voice-{voice}", cancellationToken: Token);
        CheckAll();
        Reboot();
        CheckAll();

        void CheckAll()
        {
            using var fresh = Store();
            for (var voice = 0; voice < count; voice++)
                Assert.True(fresh.Get($"voice-{voice}") is { } found && found.Id == FakeVoices.Id(voice)
                && FakeVoices.Are(found.Features, voice), $"voice {voice}");
            var list = fresh.List();
            Assert.Equal(count, list.Count(info => info.Names.Count == 1));
        }
    }

    [Fact]
    public async Task In_the_segment_voices_and_names_go_and_stay_together()
    {
        // 4,097 entries of each kind are more than the table takes: what is left must be voices with their names.
        var options = FakeVoices.Options(Segment, 64 << 20, 65_536);
        using (var store = FakeVoices.Store(options, frames: 2))
            for (var voice = 0; voice < 4_097; voice++)
                await store.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token);
        using var fresh = FakeVoices.Store(options);
        var list = fresh.List();
        Assert.InRange(list.Count, 2_000, 4_097);
        Assert.All(list, info => Assert.Equal(info.Id, fresh.Get(Assert.Single(info.Names))!.Id));
        Assert.NotNull(fresh.Get("v4096"));
    }

    [Fact]
    public async Task Removed_here_is_removed_on_disk_and_in_every_process()
    {
        var time = new FakeTimeProvider();
        using var one = Store(time: time);
        using var two = Store();
        await one.AddAsync(FakeVoices.Clip(1), name: "alice", cancellationToken: Token);
        await one.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        Assert.Equal(["alice", "bob"], Assert.Single(two.List()).Names);
        Assert.True(two.Remove("alice"));
        Assert.Equal(["bob"], Assert.Single(two.List()).Names);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(one.Get("alice"));
        Assert.NotNull(one.Get("bob"));
        Assert.True(two.Remove("bob"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(one.Get("bob"));
        Assert.Empty(two.List());
        Assert.Empty(Files("*.timbre"));
        Assert.Empty(Files("*.name"));
        Reboot();
        using var later = Store();
        Assert.Null(later.Get("bob"));
        Assert.Empty(later.List());
        Assert.False(later.Remove("bob"));
    }

    [Fact]
    public async Task A_name_moves_and_the_voice_without_a_name_is_not_kept()
    {
        using (var store = Store())
        {
            await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
            await store.AddAsync(FakeVoices.Clip(2), name: "bob", cancellationToken: Token);
        }
        Assert.Single(Files("*.timbre"));
        Reboot();
        using var later = Store();
        Assert.Equal(FakeVoices.Id(2), later.Get("bob")!.Id);
    }

    [Fact]
    public async Task Where_processes_give_one_name_at_once_all_agree_who_has_it()
    {
        var stores = Enumerable.Range(0, 4).Select(_ => Store()).ToList();
        for (var round = 0; round < 20; round++)
        {
            await Task.WhenAll(stores.Select((store, i) =>
                store.AddAsync(FakeVoices.Clip(round * 10 + i), name: "bob", cancellationToken: Token).AsTask()));
            using var fresh = Store();
            var winner = fresh.Get("bob")!;
            Assert.Contains(winner.Id, Enumerable.Range(0, 4).Select(i => FakeVoices.Id(round * 10 + i)));
            var own = Assert.Single(Files("*.timbre"));
            Assert.Contains(winner.Id, own);
        }
        stores.ForEach(store => store.Dispose());
    }

    [Fact]
    public async Task Damaged_files_are_left_aside_with_one_line_and_nothing_else_is_lost()
    {
        using (var store = Store())
            for (var voice = 0; voice < 20; voice++)
                await store.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token);
        Reboot();
        var random = new Random(4);
        var (voices, names) = (Files("*.timbre"), Files("*.name"));
        foreach (var file in voices[..3].Concat(names[..3]))
        {
            var bytes = await File.ReadAllBytesAsync(file, Token);
            bytes[random.Next(bytes.Length)] ^= 1;
            await File.WriteAllBytesAsync(file, bytes, Token);
        }
        await File.WriteAllBytesAsync(voices[3], [], Token);
        await File.WriteAllBytesAsync(names[3], [], Token);
        using var later = Store();
        var found = Enumerable.Range(0, 20).Where(voice => later.Get($"v{voice}") is { } timbre && FakeVoices.Are(timbre.Features, voice)).ToList();
        Assert.InRange(found.Count, 12, 16);
        Assert.Equal(16, later.List().Count);
        Assert.Equal((3006, LogLevel.Warning), (Assert.Single(_logger.Collector.GetSnapshot()).Id.Id, _logger.LatestRecord.Level));
        Assert.Equal(20, Files("*.timbre").Length);
        // Added again they are whole again, and what was damaged lies beside.
        for (var voice = 0; voice < 20; voice++)
            await later.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token);
        Reboot();
        using var last = Store();
        for (var voice = 0; voice < 20; voice++)
            Assert.True(FakeVoices.Are(last.Get($"v{voice}")!.Features, voice));
        Assert.NotEmpty(Files("*.damaged"));
    }

    [Fact]
    public async Task A_named_voice_that_cannot_be_kept_is_an_error_and_an_anonymous_one_is_not()
    {
        await File.WriteAllTextAsync(_folder["data"], "in the way", Token);
        using var store = Store();
        var error = await Assert.ThrowsAsync<TtsTimbreException>(() =>
            store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token).AsTask());
        Assert.Contains("'bob'", error.Message);
        Assert.Contains(Named, error.Message);
        Assert.Contains("Durable", error.Message);
        Assert.Null(store.Get("bob"));
        Assert.True(FakeVoices.Are((await store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token)).Features, 1));
    }

    [Fact]
    public async Task A_folder_that_may_only_be_read_gives_its_voices_and_adding_to_it_is_an_error()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("access lists of the folder decide on Windows");
            return;
        }
        using (var store = Store())
            await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        Reboot();
        var folder = Directory.GetDirectories(Named).Single();
        // Whom permissions do not stop, a folder where the lock belongs does.
        if (Environment.IsPrivilegedProcess)
        {
            File.Delete(Path.Combine(folder, "lock"));
            Directory.CreateDirectory(Path.Combine(folder, "lock"));
        }
        else
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            using var later = Store();
            Assert.True(FakeVoices.Are(later.Get("bob")!.Features, 1));
            Assert.Equal("bob", Assert.Single(later.List()).Name);
            var error = await Assert.ThrowsAsync<TtsTimbreException>(() =>
                later.AddAsync(FakeVoices.Clip(2), name: "eve", cancellationToken: Token).AsTask());
            Assert.Contains("'eve'", error.Message);
            Assert.Contains(Named, error.Message);
            Assert.Null(later.Get("eve"));
            Assert.True(FakeVoices.Are((await later.AddAsync(FakeVoices.Clip(3), cancellationToken: Token)).Features, 3));
            Assert.True(FakeVoices.Are(later.Get("bob")!.Features, 1));
        }
        finally
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task One_name_more_than_allowed_is_an_error_that_names_the_option()
    {
        using var store = Store(maxNames: 3);
        for (var voice = 0; voice < 3; voice++)
            await store.AddAsync(FakeVoices.Clip(voice), name: $"v{voice}", cancellationToken: Token);
        Assert.Contains("MaxDurableTimbres",
            (await Assert.ThrowsAsync<TtsTimbreException>(() =>
            store.AddAsync(FakeVoices.Clip(4), name: "v4", cancellationToken: Token).AsTask())).Message);
        await store.AddAsync(FakeVoices.Clip(5), name: "v2", cancellationToken: Token);
        Assert.True(store.Remove("v1"));
        await store.AddAsync(FakeVoices.Clip(4), name: "v4", cancellationToken: Token);
        Assert.Equal(3, store.List().Count(info => info.Name is not null));
    }

    [Fact]
    public async Task Files_and_folders_are_for_this_user_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("access lists of the folder decide on Windows");
            return;
        }
        using var store = Store();
        await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        store.Pin("bob");
        Assert.True(Files("*").Length >= 4);
        foreach (var file in Files("*"))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        foreach (var folder in Directory.GetDirectories(Named, "*", SearchOption.AllDirectories))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
    }

    [Fact]
    public async Task Looking_makes_no_file_and_no_folder()
    {
        var options = FakeVoices.Options(_folder["nowhere/x/seg"]);
        options.Durable = true;
        using (var store = FakeVoices.Store(options))
        {
            Assert.Empty(store.List());
            Assert.Null(store.Get("bob"));
            Assert.Null(store.Get(FakeVoices.Id(1)));
            Assert.False(store.Remove("bob"));
        }
        Assert.False(Directory.Exists(_folder["nowhere"]));
        using var adding = FakeVoices.Store(options);
        using var looking = FakeVoices.Store(options);
        Assert.Null(looking.Get("bob"));
        await adding.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        Assert.Equal(TimbreSource.Segment, looking.Get("bob")!.Source);
        // A segment that is named keeps its named voices beside it.
        Assert.True(Directory.Exists(_folder["nowhere/x/seg.named"]));
    }

    [Fact]
    public async Task Switched_off_it_keeps_nothing_and_a_store_of_its_own_keeps_nothing_either()
    {
        using (var off = FakeVoices.Store(FakeVoices.Options(_folder["off"])))
            await off.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        Assert.False(Directory.Exists(_folder["off.named"]));
        Assert.Null(LightTts.Timbres.Durable.DurableFolders.IsWanted(new TimbreStoreOptions { Shared = false }) ? "" : null);
        Assert.True(LightTts.Timbres.Durable.DurableFolders.IsWanted(new TimbreStoreOptions { Shared = false, DurableFolder = Named }));
        Assert.EndsWith(Path.Combine("timbres"), LightTts.Timbres.Durable.DurableFolders.Find(new TimbreStoreOptions()));
    }

    [Fact]
    public async Task A_writer_that_is_stopped_is_an_error_of_adding_a_name()
    {
        using var store = Store();
        await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        var path = Path.Combine(Directory.GetDirectories(Named).Single(), "lock");
        using (FileLock.TryAcquire(path, TimeSpan.Zero))
            Assert.Contains("lock",
            (await Assert.ThrowsAsync<TtsTimbreException>(() =>
            store.AddAsync(FakeVoices.Clip(2), name: "eve", cancellationToken: Token).AsTask())).Message);
        await store.AddAsync(FakeVoices.Clip(2), name: "eve", cancellationToken: Token);
        Assert.NotNull(store.Get("eve"));
    }

    private void Reboot() => Directory.Delete(Path.GetDirectoryName(Segment)!, recursive: true);

    private string[] Files(string pattern) => Directory.Exists(Named)
        ? [.. Directory.GetFiles(Named, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];

    private TimbreStore Store(Action? onExtract = null, TimeProvider? time = null, int maxNames = 16_384)
    {
        var options = FakeVoices.Options(Segment, 64 << 20, 4096);
        (options.Durable, options.DurableFolder, options.MaxDurableTimbres) = (true, Named, maxNames);
        return FakeVoices.Store(options, onExtract: onExtract, logger: _logger, time: time);
    }
}
