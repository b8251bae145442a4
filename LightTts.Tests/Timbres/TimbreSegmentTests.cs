using LightTts.FileSystem;
using LightTts.Tests.Support;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Timbres;

/// <summary>Stores that share a segment; two stores in one process see each other only through the file, as two processes do.</summary>
public sealed class TimbreSegmentTests : IDisposable
{
    private readonly MemoryFolder _folder = new();
    private readonly FakeLogger _logger = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Segment => _folder["voices.seg"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_voice_added_by_one_is_found_by_the_other()
    {
        using var one = FakeVoices.Store(Segment, logger: _logger);
        using var two = FakeVoices.Store(Segment, onExtract: () => Assert.Fail("extracted twice"), logger: _logger);
        var added = await one.AddAsync(FakeVoices.Clip(3), name: "bob", cancellationToken: Token);
        var found = await two.AddAsync(FakeVoices.Clip(3), cancellationToken: Token);
        Assert.Equal((TimbreSource.Extracted, TimbreSource.Segment), (added.Source, found.Source));
        Assert.True(FakeVoices.Are(found.Features, 3));
        Assert.Equal(TimbreSource.Process, (await two.AddAsync(FakeVoices.Clip(3), cancellationToken: Token)).Source);

        using var three = FakeVoices.Store(Segment, logger: _logger);
        var named = three.Get("bob")!;
        Assert.Equal((TimbreSource.Segment, "bob", added.Id), (named.Source, named.Name, named.Id));
        Assert.Equal(0, _logger.Collector.Count);
    }

    [Fact]
    public async Task It_survives_all_processes()
    {
        using (var store = FakeVoices.Store(Segment))
        {
            await store.AddAsync(FakeVoices.Clip(1), "said", "bob", Token);
            store.Pin("bob");
        }
        using var later = FakeVoices.Store(Segment);
        var info = Assert.Single(later.List());
        Assert.Equal(("bob", "said", true, TimbreSource.Segment, TimeSpan.FromSeconds(0.5)),
            (info.Name, info.Transcript, info.Pinned, info.Source, info.Duration));
    }

    [Fact]
    public async Task Files_are_for_this_user_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("access lists of the folder decide on Windows");
            return;
        }
        using var store = FakeVoices.Store(Segment);
        await store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token);
        foreach (var file in Directory.GetFiles(_folder.Path))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal([Segment, Segment + ".lock"], Directory.GetFiles(_folder.Path).Order());
    }

    [Fact]
    public async Task A_name_that_another_process_moves_or_removes_is_followed_within_a_second()
    {
        var time = new FakeTimeProvider();
        using var one = FakeVoices.Store(Segment, time: time);
        using var two = FakeVoices.Store(Segment);
        await one.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token);
        await two.AddAsync(FakeVoices.Clip(2), name: "bob", cancellationToken: Token);
        Assert.Equal(FakeVoices.Id(1), one.Get("bob")!.Id);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FakeVoices.Id(2), one.Get("bob")!.Id);
        Assert.True(two.Remove("bob"));
        Assert.Null(two.Get("bob"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(one.Get("bob"));
        Assert.NotNull(one.Get(FakeVoices.Id(1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_segment_is_compacted_and_keeps_what_was_used_last_and_what_is_pinned(bool oneStep)
    {
        Assert.SkipWhen(oneStep && OperatingSystem.IsWindows(), "a mapped file cannot be replaced in one step on Windows");
        SegmentBuilder.ReplacesInOneStep = oneStep;
        try
        {
            using var reader = FakeVoices.Store(Segment, maxTimbres: 1);
            using var writer = FakeVoices.Store(Segment, maxTimbres: 100);
            await writer.AddAsync(FakeVoices.Clip(0), name: "first", cancellationToken: Token);
            Assert.True(writer.Pin("first"));
            for (var voice = 1; voice < 1000; voice++)
            {
                await writer.AddAsync(FakeVoices.Clip(voice), name: voice == 1 ? "second" : null, cancellationToken: Token);
                Assert.True(FakeVoices.Are(reader.Get("second")!.Features, 1), $"after {voice}");
                Assert.True(reader.Get(FakeVoices.Id(voice)) is { } newest && FakeVoices.Are(newest.Features, voice));
            }
            using var fresh = FakeVoices.Store(Segment);
            Assert.Equal(1 << 20, new FileInfo(Segment).Length);
            Assert.Equal(100, fresh.List().Count);
            Assert.Equal(["first", "second"], fresh.List().Where(info => info.Name is not null).Select(info => info.Name));
            Assert.All(Enumerable.Range(920, 80), voice => Assert.True(FakeVoices.Are(fresh.Get(FakeVoices.Id(voice))!.Features, voice)));
            Assert.DoesNotContain(Directory.GetFiles(_folder.Path), file => file.Contains(".tmp-"));
        }
        finally
        {
            SegmentBuilder.ReplacesInOneStep = !OperatingSystem.IsWindows();
        }
    }

    [Fact]
    public async Task It_grows_to_its_limit()
    {
        using var store = FakeVoices.Store(Segment, segmentBytes: 8 << 20, maxTimbres: 5000);
        await store.AddAsync(FakeVoices.Clip(0), cancellationToken: Token);
        Assert.Equal(4 << 20, new FileInfo(Segment).Length);
        for (var voice = 1; voice < 1000; voice++)
            await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
        Assert.Equal(8 << 20, new FileInfo(Segment).Length);
        Assert.InRange(FakeVoices.Store(Segment).List().Count, 500, 1000);
    }

    [Fact]
    public async Task Pinned_voices_are_never_given_up()
    {
        using var store = FakeVoices.Store(Segment, maxTimbres: 4, logger: _logger);
        for (var voice = 0; voice < 4; voice++)
        {
            await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
            Assert.True(store.Pin(FakeVoices.Id(voice)));
        }
        for (var voice = 4; voice < 20; voice++)
            Assert.True(FakeVoices.Are((await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token)).Features, voice));
        using var other = FakeVoices.Store(Segment);
        Assert.Equal(Enumerable.Range(0, 4).Select(FakeVoices.Id).Order(), other.List().Select(info => info.Id).Order());
        Assert.Equal(3003, Assert.Single(_logger.Collector.GetSnapshot()).Id.Id);
    }

    [Fact]
    public async Task Two_stores_that_add_the_same_voice_extract_it_once()
    {
        var extractions = 0;
        using var one = FakeVoices.Store(Segment, onExtract: () => Interlocked.Increment(ref extractions));
        using var two = FakeVoices.Store(Segment, onExtract: () => Interlocked.Increment(ref extractions));
        for (var voice = 0; voice < 50; voice++)
        {
            var clip = FakeVoices.Clip(voice);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : two).AddAsync(clip, cancellationToken: Token).AsTask()));
        }
        Assert.Equal(50, extractions);
    }

    /// <summary>.NET itself locks, for a moment, the files that it makes; that must not look like a fault.</summary>
    [Fact]
    public async Task A_lock_whose_file_comes_and_goes_is_held_by_one_at_a_time_and_never_refused()
    {
        int inside = 0, taken = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                using var turn = FileLock.TryAcquire(_folder["turn"], TimeSpan.Zero, deleteAfterwards: true);
                if (turn is null)
                    continue;
                Assert.Equal(1, Interlocked.Increment(ref inside));
                Interlocked.Increment(ref taken);
                Interlocked.Decrement(ref inside);
            }
        }, Token, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.True(taken > 100, $"{taken} times");
    }

    [Fact]
    public async Task A_process_that_holds_on_to_an_extraction_does_not_stop_the_others()
    {
        var options = FakeVoices.Options(Segment);
        options.ExtractionWait = TimeSpan.FromMilliseconds(1);
        using var one = FakeVoices.Store(options);
        using var stuck = FileLock.TryAcquire(SegmentBuilder.ExtractionPath(Segment, KeyOf(5)), TimeSpan.Zero, deleteAfterwards: true);
        Assert.NotNull(stuck);
        Assert.Equal(TimbreSource.Extracted, (await one.AddAsync(FakeVoices.Clip(5), cancellationToken: Token)).Source);
    }

    [Fact]
    public async Task Tenants_and_models_do_not_see_each_other()
    {
        var options = FakeVoices.Options(Segment);
        options.Tenant = "other";
        using var one = FakeVoices.Store(Segment, logger: _logger);
        using var tenant = FakeVoices.Store(options, logger: _logger);
        using var model = FakeVoices.Store(Segment, extractor: "fake extractor 2", logger: _logger);
        foreach (var store in new[] { one, tenant, model })
            Assert.Equal(TimbreSource.Extracted, (await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token)).Source);
        Assert.Equal(3, new[] { one, tenant, model }.Select(store => store.Get("bob")!.Id).Distinct().Count());
        foreach (var store in new[] { one, tenant, model })
            Assert.Single(store.List());
        // Each of the other two says once that it uses a file beside.
        Assert.Equal([3001, 3001], _logger.Collector.GetSnapshot().Select(record => record.Id.Id));
    }

    private static LightTts.Timbres.TimbreKey KeyOf(int voice)
    {
        LightTts.Timbres.TimbreKey.TryParse(FakeVoices.Id(voice), out var key);
        return key;
    }
}
