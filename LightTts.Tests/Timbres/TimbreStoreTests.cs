using LightTts.Tests.Support;
using LightTts.Timbres;

namespace LightTts.Tests.Timbres;

/// <summary>The store inside one process.</summary>
public sealed class TimbreStoreTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_voice_is_extracted_once_and_found_by_id_and_name()
    {
        var extractions = 0;
        using var store = FakeVoices.Store(onExtract: () => extractions++);
        var first = await store.AddAsync(FakeVoices.Clip(7), "hello", "bob", Token);
        var second = await store.AddAsync(FakeVoices.Clip(7), "hello", cancellationToken: Token);
        Assert.Equal((TimbreSource.Extracted, TimbreSource.Process, 1), (first.Source, second.Source, extractions));
        Assert.Equal(("bob", "hello", TimeSpan.FromSeconds(0.5)), (first.Name, first.Transcript, first.Duration));
        Assert.Null(second.Name);
        Assert.Same(first.Features, store.Get("bob")!.Features);
        Assert.Same(first.Features, store.Get(first.Id)!.Features);
        Assert.Same(first.Features, store.Get(first.Id.ToUpperInvariant())!.Features);
        Assert.Null(store.Get("nobody"));
    }

    [Fact]
    public async Task Concurrent_adds_extract_once_and_share_the_result()
    {
        var extractions = 0;
        var release = new TaskCompletionSource();
        using var store = new TimbreStore(FakeVoices.Options(null), FakeVoices.Extractor, async (clip, _, _) =>
        {
            Interlocked.Increment(ref extractions);
            await release.Task;
            return FakeVoices.Extract(clip);
        });
        var adds = Enumerable.Range(0, 50).Select(_ => store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token).AsTask()).ToArray();
        release.SetResult();
        var timbres = await Task.WhenAll(adds);
        Assert.Equal(1, extractions);
        Assert.All(timbres, timbre => Assert.Same(timbres[0].Features, timbre.Features));
    }

    [Fact]
    public async Task A_failure_reaches_every_waiter_and_is_not_kept()
    {
        var attempts = 0;
        var release = new TaskCompletionSource();
        using var store = new TimbreStore(FakeVoices.Options(null), FakeVoices.Extractor, async (clip, _, _) =>
        {
            if (Interlocked.Increment(ref attempts) > 1)
                return FakeVoices.Extract(clip);
            await release.Task;
            throw new TtsAudioException("too quiet");
        });
        var adds = Enumerable.Range(0, 100).Select(_ => store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token).AsTask()).ToArray();
        release.SetResult();
        foreach (var add in adds)
            Assert.Equal("too quiet", (await Assert.ThrowsAsync<TtsAudioException>(() => add)).Message);
        Assert.Equal(1, attempts);
        Assert.Null(store.Get(FakeVoices.Id(1)));
        Assert.Equal(TimbreSource.Extracted, (await store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token)).Source);
    }

    [Fact]
    public async Task Any_other_error_of_the_models_becomes_a_typed_one()
    {
        using var store = new TimbreStore(FakeVoices.Options(null), FakeVoices.Extractor, (_, _, _) => throw new InvalidOperationException("boom"));
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token).AsTask());
        Assert.IsType<InvalidOperationException>(error.InnerException);
    }

    [Fact]
    public async Task One_waiter_may_give_up_and_the_others_get_the_voice()
    {
        var (started, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var abandoned = default(CancellationToken);
        using var store = new TimbreStore(FakeVoices.Options(null), FakeVoices.Extractor, async (clip, _, token) =>
        {
            abandoned = token;
            started.TrySetResult();
            await release.Task.WaitAsync(token);
            return FakeVoices.Extract(clip);
        });
        using var first = new CancellationTokenSource();
        using var last = new CancellationTokenSource();
        var (impatient, patient) = (store.AddAsync(FakeVoices.Clip(1), cancellationToken: first.Token).AsTask(),
            store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token).AsTask());
        await started.Task;
        first.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        Assert.False(abandoned.IsCancellationRequested);
        release.SetResult();
        Assert.True(FakeVoices.Are((await patient).Features, 1));

        (started, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var alone = store.AddAsync(FakeVoices.Clip(2), cancellationToken: last.Token).AsTask();
        await started.Task;
        last.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => alone);
        Assert.True(abandoned.IsCancellationRequested);
        release.SetResult();
        Assert.True(FakeVoices.Are((await store.AddAsync(FakeVoices.Clip(2), cancellationToken: Token)).Features, 2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(481_000)]
    public async Task Audio_of_no_use_is_refused_before_anything_is_computed(int samples)
    {
        using var store = FakeVoices.Store(onExtract: () => Assert.Fail("extracted"));
        var clip = new AudioClip(new float[samples], 16_000);
        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<TtsAudioException>(() => store.AddAsync(clip, cancellationToken: Token).AsTask());
    }

    [Fact]
    public void The_identity_covers_samples_rate_transcript_extractors_and_tenant()
    {
        var (owner, samples) = (TimbreKey.OfOwner("a", null), new float[16_000]);
        samples[3] = 0.5f;
        TimbreKey[] keys =
        [
            TimbreKey.OfVoice(new AudioClip(samples, 16_000), null, owner),
            TimbreKey.OfVoice(new AudioClip(samples, 24_000), null, owner),
            TimbreKey.OfVoice(new AudioClip(samples[1..], 16_000), null, owner),
            TimbreKey.OfVoice(new AudioClip(samples, 16_000), "", owner),
            TimbreKey.OfVoice(new AudioClip(samples, 16_000), "hello", owner),
            TimbreKey.OfVoice(new AudioClip(samples, 16_000), null, TimbreKey.OfOwner("b", null)),
            TimbreKey.OfVoice(new AudioClip(samples, 16_000), null, TimbreKey.OfOwner("a", "tenant")),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], TimbreKey.OfVoice(new AudioClip(samples.ToArray(), 16_000), null, owner));
        Assert.Equal(64, keys[0].ToString().Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../../etc/passwd")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("C:evil")]
    [InlineData("\\\\server\\share")]
    [InlineData("a\0b")]
    [InlineData("a b")]
    [InlineData("~")]
    [InlineData("%2e%2e")]
    [InlineData("\ud800")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    public async Task Names_that_could_be_anything_else_are_refused(string name)
    {
        using var store = FakeVoices.Store();
        await Assert.ThrowsAsync<TtsRequestException>(() => store.AddAsync(FakeVoices.Clip(1), name: name, cancellationToken: Token).AsTask());
        Assert.Null(store.Get(name));
    }

    [Theory]
    [InlineData("bob")]
    [InlineData("Jürgen_2.neu-3")]
    [InlineData("声音")]
    public async Task Ordinary_names_are_fine(string name)
    {
        using var store = FakeVoices.Store();
        await store.AddAsync(FakeVoices.Clip(1), name: name, cancellationToken: Token);
        Assert.Equal(name, store.Get(name)!.Name);
    }

    [Fact]
    public async Task A_voice_has_several_names_and_a_taken_name_moves()
    {
        using var store = FakeVoices.Store();
        await store.AddAsync(FakeVoices.Clip(1), name: "a", cancellationToken: Token);
        await store.AddAsync(FakeVoices.Clip(1), name: "b", cancellationToken: Token);
        await store.AddAsync(FakeVoices.Clip(2), name: "b", cancellationToken: Token);
        Assert.Equal([FakeVoices.Id(1), FakeVoices.Id(2)], store.List().Select(info => info.Id));
        Assert.Equal(["a", "b"], store.List().Select(info => info.Name));
        Assert.True(store.Remove("b"));
        Assert.False(store.Remove("b"));
        Assert.Null(store.Get(FakeVoices.Id(2)));
        Assert.NotNull(store.Get("a"));
    }

    [Fact]
    public async Task Least_recently_used_goes_first_unless_pinned_or_leased()
    {
        using var store = FakeVoices.Store(maxTimbres: 3);
        for (var voice = 1; voice <= 3; voice++)
            await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
        Assert.True(store.Pin(FakeVoices.Id(1)));
        var lease = store.Lease(store.Get(FakeVoices.Id(2))!);
        Assert.NotNull(store.Get(FakeVoices.Id(3)));
        await store.AddAsync(FakeVoices.Clip(4), cancellationToken: Token);
        Assert.Equal([true, true, false, true], Enumerable.Range(1, 4).Select(voice => store.Get(FakeVoices.Id(voice)) is not null));
        lease.Dispose();
        Assert.True(store.Unpin(FakeVoices.Id(1)));
        await store.AddAsync(FakeVoices.Clip(5), cancellationToken: Token);
        await store.AddAsync(FakeVoices.Clip(6), cancellationToken: Token);
        await store.AddAsync(FakeVoices.Clip(7), cancellationToken: Token);
        Assert.Equal([5, 6, 7], Enumerable.Range(1, 7).Where(voice => store.Get(FakeVoices.Id(voice)) is not null));
    }

    [Fact]
    public async Task The_budget_is_in_bytes_and_is_kept()
    {
        var options = FakeVoices.Options(null);
        options.ProcessBytes = 100_000;
        using var store = FakeVoices.Store(options);
        for (var voice = 0; voice < 100; voice++)
        {
            await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
            Assert.InRange(store.Cache.Usage.Bytes, 1, options.ProcessBytes);
        }
        Assert.True(store.Cache.Usage.Timbres > 5);
    }

    [Fact]
    public async Task A_hit_in_the_process_allocates_nothing()
    {
        using var folder = new MemoryFolder();
        using var store = FakeVoices.Store(folder["voices"]);
        var id = (await store.AddAsync(FakeVoices.Clip(1), name: "bob", cancellationToken: Token)).Id;
        Assert.NotNull(store.Get(id) ?? store.Get("bob"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            if (await store.GetAsync(id, Token) is null || await store.GetAsync("bob", Token) is null)
                Assert.Fail("lost");
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Features_that_are_not_finite_are_never_kept()
    {
        using var store = new TimbreStore(FakeVoices.Options(null), FakeVoices.Extractor, (_, _, _) =>
            new ValueTask<TimbreFeatures>(FakeVoices.Features(1) with { Embedding = [float.NaN] }));
        await Assert.ThrowsAsync<TtsAudioException>(() => store.AddAsync(FakeVoices.Clip(1), cancellationToken: Token).AsTask());
        Assert.Empty(store.List());
    }
}
