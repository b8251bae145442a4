using LightTts.FileSystem;
using LightTts.Tests.Support;
using LightTts.Timbres;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging.Testing;

namespace LightTts.Tests.Timbres;

/// <summary>Names, identities and presets, as a user meets them.</summary>
public sealed class TimbreNameTests : IDisposable
{
    private readonly MemoryFolder _folder = new();
    private readonly FakeLogger _logger = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_two_names_one_is_taken_away_and_the_voice_goes_with_the_last()
    {
        using var store = FakeVoices.Store();
        await store.AddAsync(FakeVoices.Clip(1), name: "alice", cancellationToken: Token);
        await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        Assert.Equal(["alice", "bob"], Assert.Single(store.List()).Names);
        Assert.True(store.Remove("alice"));
        Assert.Null(store.Get("alice"));
        Assert.NotNull(store.Get("bob"));
        Assert.True(store.Remove("bob"));
        Assert.Empty(store.List());
    }

    [Fact]
    public async Task The_start_of_an_identity_is_enough_where_it_is_the_only_one()
    {
        using var store = FakeVoices.Store();
        for (var voice = 0; voice < 20; voice++)
            await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
        Assert.False(store.Remove(FakeVoices.Id(1)[..7]));
        Assert.True(store.Pin(FakeVoices.Id(2)[..16]));
        Assert.True(store.Remove(FakeVoices.Id(1)[..16].ToUpperInvariant()));
        Assert.False(store.Remove(FakeVoices.Id(1)[..16]));
        Assert.Equal(19, store.List().Count);
        Assert.Equal(FakeVoices.Id(2), Assert.Single(store.List(), info => info.Pinned).Id);
    }

    [Fact]
    public async Task Rename_moves_the_name_and_leaves_others_alone()
    {
        var options = FakeVoices.Options(_folder["seg"]);
        options.Durable = true;
        using var store = FakeVoices.Store(options);
        await store.AddAsync(FakeVoices.Clip(1), name: "alice", cancellationToken: Token);
        await store.AddAsync(FakeVoices.Clip(2), name: "bob", cancellationToken: Token);
        Assert.True(await store.RenameAsync("alice", "eve", Token));
        Assert.Null(store.Get("alice"));
        Assert.Equal((FakeVoices.Id(1), "eve"), (store.Get("eve")!.Id, store.Get("eve")!.Name));
        Assert.Contains("another voice",
            (await Assert.ThrowsAsync<TtsRequestException>(() => store.RenameAsync("eve", "bob", Token).AsTask())).Message);
        Assert.False(await store.RenameAsync("nobody", "x", Token));
        Assert.True(await store.RenameAsync(FakeVoices.Id(2), "second", Token));
        File.Delete(_folder["seg"]);
        using var later = FakeVoices.Store(options);
        Assert.Equal(["bob", "second"], later.List().Single(info => info.Id == FakeVoices.Id(2)).Names);
        Assert.Equal(["eve"], later.List().Single(info => info.Id == FakeVoices.Id(1)).Names);
    }

    [Fact]
    public async Task A_presets_name_is_refused_everywhere()
    {
        using var store = FakeVoices.Store(FakeVoices.Options(null), presets: ["slt"]);
        await store.AddAsync(FakeVoices.Clip(1), name: "me", cancellationToken: Token);
        var file = new MemoryStream();
        await store.ExportAsync("me", file, Token);
        file.Position = 0;
        Func<Task>[] calls =
        [
            () => store.AddAsync(FakeVoices.Clip(1), name: "slt", cancellationToken: Token).AsTask(),
            () => store.RenameAsync("me", "slt", Token).AsTask(),
            () => store.ImportAsync(file, "slt", Token).AsTask(),
        ];
        foreach (var call in calls)
            Assert.Contains("another name", (await Assert.ThrowsAsync<TtsRequestException>(call)).Message);
        Assert.Null(store.Get("slt"));

        using var other = FakeVoices.Store();
        await other.AddAsync(FakeVoices.Clip(3), name: "slt", cancellationToken: Token);
        var named = new MemoryStream();
        await other.ExportAsync("slt", named, Token);
        named.Position = 0;
        await Assert.ThrowsAsync<TtsRequestException>(() => store.ImportAsync(named, cancellationToken: Token).AsTask());
        named.Position = 0;
        Assert.Equal("mine", (await store.ImportAsync(named, "mine", Token)).Name);
    }

    [Fact]
    public async Task A_store_that_has_a_presets_name_already_yields_to_the_preset_with_one_line()
    {
        using (var before = FakeVoices.Store(_folder["seg"]))
            await before.AddAsync(FakeVoices.Clip(1), name: "slt", cancellationToken: Token);
        using var store = FakeVoices.Store(FakeVoices.Options(_folder["seg"]), logger: _logger, presets: ["slt", "rms"]);
        for (var i = 0; i < 3; i++)
            Assert.Null(store.Get("slt"));
        Assert.Null(store.Get("rms"));
        Assert.Equal(3007, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);
        Assert.True(await store.RenameAsync("slt", "mine", Token));
        Assert.Equal(FakeVoices.Id(1), store.Get("mine")!.Id);
    }

    [Fact]
    public async Task An_imported_voice_keeps_its_identity_and_never_passes_for_audio()
    {
        using var one = FakeVoices.Store();
        await one.AddAsync(FakeVoices.Clip(5), name: "bob", cancellationToken: Token);
        var file = new MemoryStream();
        await one.ExportAsync("bob", file, Token);
        // A forged file: voice 6 under the identity of voice 5.
        TimbreKey.TryParse(FakeVoices.Id(5), out var claimed);
        var forged = new MemoryStream();
        TimbreFile.Write(forged, new TimbreRecord(claimed, null, TimeSpan.FromSeconds(0.5), DateTimeOffset.UnixEpoch, FakeVoices.Features(6)),
            TimbreKey.OfOwner(FakeVoices.Extractor, null), "eve");
        foreach (var stream in new[] { file, forged })
        {
            foreach (var segment in new[] { null, _folder[$"seg{stream.Length}{stream == forged}"] })
            {
                stream.Position = 0;
                using var two = FakeVoices.Store(segment);
                var imported = await two.ImportAsync(stream, cancellationToken: Token);
                Assert.Equal(FakeVoices.Id(5), imported.Id);
                Assert.True(FakeVoices.Are(two.Get(imported.Name!)!.Features, stream == forged ? 6 : 5));
                Assert.Equal(TimbreSource.Extracted, (await two.AddAsync(FakeVoices.Clip(5), cancellationToken: Token)).Source);
                Assert.True(FakeVoices.Are(two.Get(FakeVoices.Id(5))!.Features, 5));
                Assert.True(FakeVoices.Are(two.Get(imported.Name!)!.Features, 5));
                using var three = FakeVoices.Store(segment);
                Assert.Equal(segment is null, three.Get(FakeVoices.Id(5)) is not { } found || !FakeVoices.Are(found.Features, 5));
            }
        }
        using var last = FakeVoices.Store();
        file.Position = forged.Position = 0;
        await last.ImportAsync(forged, cancellationToken: Token);
        await Assert.ThrowsAsync<TtsTimbreException>(() => last.ImportAsync(file, cancellationToken: Token).AsTask());
    }

    [Fact]
    public async Task A_removed_voice_stays_away_while_somebody_speaks_in_it()
    {
        using var store = FakeVoices.Store();
        var held = await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        Assert.True(store.Remove("bob"));
        using (store.Lease(held))
            Assert.Empty(store.List());
        Assert.Null(store.Get(held.Id));
        Assert.True(FakeVoices.Are(held.Features, 1));
    }

    [Fact]
    public async Task Presets_that_were_used_are_not_listed()
    {
        using var store = FakeVoices.Store(_folder["seg"]);
        var preset = await store.AddPresetAsync(FakeVoices.Clip(1), null, Token);
        using (store.Lease(preset))
            Assert.Empty(store.List());
        using var other = FakeVoices.Store(_folder["seg"], onExtract: () => Assert.Fail("extracted twice"));
        Assert.Empty(other.List());
        Assert.Equal(TimbreSource.Segment, (await other.AddPresetAsync(FakeVoices.Clip(1), null, Token)).Source);
    }

    [Fact]
    public async Task After_disposal_every_member_says_that_the_pipeline_is_gone()
    {
        var store = FakeVoices.Store();
        var held = await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        store.Dispose();
        Func<Task>[] calls =
        [
            () => store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token).AsTask(), () => store.GetAsync("bob", Token).AsTask(), () =>
                store.ListAsync(Token).AsTask(),
            () => store.RemoveAsync("bob", Token).AsTask(), () => store.RenameAsync("bob", "x", Token).AsTask(), () =>
            store.SetPinnedAsync("bob", true, Token).AsTask(),
            () => store.ExportAsync("bob", Stream.Null, Token).AsTask(), () => store.ImportAsync(Stream.Null, null, Token).AsTask(), () =>
            Task.FromResult(store.Lease(held)),
        ];
        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAsync<ObjectDisposedException>(call);
            Assert.DoesNotContain("TimbreStore", error.Message);
            Assert.Contains("TtsPipeline", error.Message);
        }
    }

    [Fact]
    public async Task A_file_that_was_named_by_mistake_keeps_its_mode_and_the_warning_says_the_cure()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes are Unix");
            return;
        }
        await File.WriteAllTextAsync(_folder["notes.txt"], new string('x', 10_000), Token);
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        File.SetUnixFileMode(_folder["notes.txt"], mode);
        using var store = FakeVoices.Store(_folder["notes.txt"], logger: _logger);
        Assert.Empty(store.List());
        Assert.Equal(mode, File.GetUnixFileMode(_folder["notes.txt"]));
        var warning = Assert.Single(_logger.Collector.GetSnapshot());
        Assert.Equal(3001, warning.Id.Id);
        Assert.Contains("Delete or move it", warning.Message);
        await store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token);
        Assert.Single(_logger.Collector.GetSnapshot());
    }

    [Fact]
    public async Task Waiting_for_another_extraction_takes_no_thread_of_the_pool_and_can_be_cancelled()
    {
        using var stores = FakeVoices.Store(_folder["seg"]);
        await stores.AddAsync(FakeVoices.Clip(1), cancellationToken: Token);
        TimbreKey.TryParse(FakeVoices.Id(5), out var key);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var path = SegmentBuilder.ExtractionPath(_folder["seg"], key);
        var held = FileLock.TryAcquire(path, TimeSpan.Zero, deleteAfterwards: true);
        // The call itself comes back at once: nobody's thread waits in it.
        var waiting = FileLock.TryAcquireAsync(path, TimeSpan.FromMinutes(10), true, cancel.Token).AsTask();
        var cancelled = FileLock.TryAcquireAsync(path, TimeSpan.FromMinutes(10), true, cancel.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        using (var other = FakeVoices.Store(_folder["seg"]))
        {
            var adding = other.AddAsync(FakeVoices.Clip(5), cancellationToken: cancel.Token).AsTask();
            cancel.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => adding);
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var patient = FileLock.TryAcquireAsync(path, TimeSpan.FromMinutes(1), true, Token).AsTask();
        held!.Dispose();
        using var got = await patient;
        Assert.NotNull(got);
    }
}
