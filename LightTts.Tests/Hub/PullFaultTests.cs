using System.Text.RegularExpressions;
using LightTts.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LightTts.Tests.Hub;

/// <summary>What hubs and lines do wrong: it is cured, or it is an error that says the cure; a wrong file never gets its name.</summary>
public sealed class PullFaultTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_hundred_cuts_lose_nothing_and_fetch_nothing_twice()
    {
        const int Cuts = 100;
        await using var hub = await TestHub.StartAsync(FakeModel.Create(FullRun.IsOn ? 2_400_000_000 : 16_000_000));
        var progress = new Received();
        var random = new Random(17);
        var cuts = 0;
        hub.CutAfter = served =>
        {
            // A connection that brings next to nothing counts as a failure, and seven of them in a row end a pull: they have a test of their own.
            const int least = 4096;
            var left = hub.Files[served.File].Length - served.From;
            lock (random)
                return !hub.Files[served.File].IsLfs || left <= 2 * least || Interlocked.Increment(ref cuts) > Cuts ? null
                    : random.NextInt64(least, Math.Max(least + 1, Math.Min(left, hub.Files["flow.pt"].Length / 60)));
        };
        // The line is cut when what was sent has arrived: bytes that are lost on the way would have to be sent again.
        hub.Sent = (served, at, cut, cancellation) => cut ? progress.UntilAsync(served.File, at, cancellation) : Task.CompletedTask;
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path), progress);
        Assert.InRange(cuts, Cuts, int.MaxValue);
        foreach (var name in FakeModel.Needed)
        {
            PullTests.AssertSame(hub.Files[name], Path.Combine(model.Path, name));
            var at = 0L;
            foreach (var request in hub.Requests.Where(request => request.File == name))
            {
                Assert.Equal(at, request.From);
                at += request.Sent;
            }
            Assert.Equal(hub.Files[name].Length, at);
        }
    }

    [Fact]
    public async Task A_wrong_checksum_never_gets_the_file_its_name()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Spoil = (file, at, bytes) =>
        {
            if (file == "flow.pt" && at == 0)
                bytes.Span[100] ^= 1;
        };
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Contains("flow.pt", error.Message);
        Assert.Contains("checksum", error.Message);
        Assert.All(Directory.EnumerateFiles(_folder.Path, hub.Files["flow.pt"].Checksum + "*", SearchOption.AllDirectories), path =>
            Assert.EndsWith(".lock", path));
        Assert.Null(TtsModels.Find(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Throws<TtsModelLoadException>(() => TtsModels.Inspect(FakeModel.Name, hub.Options(_folder.Path)));

        hub.Spoil = (_, _, _) => { };
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        PullTests.AssertSame(hub.Files["flow.pt"], Path.Combine(model.Path, "flow.pt"));
    }

    [Fact]
    public async Task A_damaged_beginning_is_fetched_again()
    {
        await using var hub = await TestHub.StartAsync();
        var partial = _folder.Write($"models--somebody--Some-Model_1.0/blobs/{hub.Files["flow.pt"].Checksum}.incomplete", new byte[1000]);
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        PullTests.AssertSame(hub.Files["flow.pt"], Path.Combine(model.Path, "flow.pt"));
        Assert.Equal([1000, 0], hub.Requests.Where(request => request.File == "flow.pt").Select(request => request.From));
        Assert.False(File.Exists(partial));
    }

    [Fact]
    public async Task A_server_without_ranges_is_read_from_the_beginning_again()
    {
        await using var hub = await TestHub.StartAsync();
        hub.KnowsRanges = false;
        var cut = 0;
        hub.CutAfter = served => served.File == "flow.pt" && Interlocked.Increment(ref cut) == 1 ? 100_000 : null;
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        PullTests.AssertSame(hub.Files["flow.pt"], Path.Combine(model.Path, "flow.pt"));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_wrong_length_is_told(int more)
    {
        await using var hub = await TestHub.StartAsync();
        hub.Describe = (name, file) => (file.Length + (name == "flow.pt" ? more : 0), file.Checksum);
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        var length = hub.Files["flow.pt"].Length;
        Assert.Contains($"flow.pt: the hub describes {length + more} bytes and sends {length}", error.Message);
    }

    [Theory]
    [InlineData(401, null, "set HF_TOKEN")]
    [InlineData(403, "GatedRepo", "terms have to be accepted")]
    [InlineData(404, null, "no such model")]
    [InlineData(404, "RevisionNotFound", "has no revision 'main'")]
    [InlineData(418, null, "Check the endpoint")]
    public async Task A_refusal_says_the_cure_and_is_not_tried_again(int status, string? code, string cure)
    {
        await using var hub = await TestHub.StartAsync();
        var asked = 0;
        hub.Refuse = context =>
        {
            asked++;
            context.Response.StatusCode = status;
            if (code is not null)
                context.Response.Headers["X-Error-Code"] = code;
            return true;
        };
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Contains(cure, error.Message);
        Assert.Equal((status, 1), ((int)error.StatusCode!, asked));
    }

    [Fact]
    public async Task Too_many_requests_are_waited_out_as_the_hub_says()
    {
        await using var hub = await TestHub.StartAsync();
        var options = hub.Options(_folder.Path);
        var asked = 0;
        hub.Refuse = context =>
        {
            if (Interlocked.Increment(ref asked) > 2)
                return false;
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "17";
            return true;
        };
        await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.Equal([TimeSpan.FromSeconds(17), TimeSpan.FromSeconds(17)], ((HastyTime)options.TimeProvider).Waits);
    }

    [Fact]
    public async Task Too_long_a_wait_is_told()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Refuse = context =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (429, "7200");
            return true;
        };
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Contains("asks to wait 7200 s", error.Message);
    }

    /// <summary>Nobody there: given up soon, and every try is told before the wait for the next one.</summary>
    [Theory]
    [InlineData(null)] // a port where nobody listens
    [InlineData("http://nobody.invalid")]
    public async Task A_hub_that_is_not_there_is_told_after_each_of_three_tries(string? endpoint)
    {
        var time = new HastyTime();
        var options = new ModelHubOptions
        {
            Endpoint = new Uri(endpoint ?? ClosedPort.Address()), CacheFolder = _folder.Path, Token = "", TimeProvider = time,
        };
        var progress = new Troubles();
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, options, progress));
        Assert.Contains("3 times in a row", error.Message);
        Assert.Contains("HTTPS_PROXY", error.Message);
        Assert.Equal(2, time.Waits.Count);
        Assert.Equal(2, progress.All.Count);
        Assert.All(progress.All, (trouble, i) =>
            Assert.Matches($@"^{Regex.Escape(options.Endpoint.Host)}: .+\. Try {i + 2} of 3 follows in [0-9]\.[0-9] s\.$", trouble));
    }

    [Fact]
    public async Task A_hub_in_trouble_is_asked_again_with_growing_waits_and_not_for_ever()
    {
        await using var hub = await TestHub.StartAsync();
        var options = hub.Options(_folder.Path);
        hub.Refuse = context =>
        {
            context.Response.StatusCode = 503;
            return context.Connection.LocalPort != hub.Endpoint.Port;
        };
        options.MaxParallelFiles = 1;
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, options));
        Assert.Contains("(503", error.Message.Replace("503 (", "(503 (", StringComparison.Ordinal));
        Assert.Contains("7 times in a row", error.Message);
        var waits = ((HastyTime)options.TimeProvider).Waits.ToList();
        Assert.Equal(6, waits.Count);
        Assert.Equal(waits.Order(), waits);
        Assert.InRange(waits[^1].TotalSeconds, 16, 20);
    }

    [Fact]
    public async Task A_drip_is_given_up_and_taken_up_again()
    {
        await using var hub = await TestHub.StartAsync();
        var options = hub.Options(_folder.Path);
        var time = (HastyTime)options.TimeProvider;
        options.MaxParallelFiles = 1;
        var progress = new Received();
        var drips = 0;
        // 100 bytes, and then not a word.
        hub.CutAfter = served => served.File == "flow.pt" && Interlocked.Increment(ref drips) <= 2 ? 100 : null;
        hub.Sent = async (served, at, cut, cancellation) =>
        {
            if (!cut)
                return;
            await progress.UntilAsync(served.File, at, cancellation);
            time.Tick();
            var gone = new TaskCompletionSource();
            await using var _ = cancellation.Register(gone.SetResult);
            await gone.Task;
        };
        var model = await TtsModels.PullAsync(FakeModel.Name, options, progress);
        PullTests.AssertSame(hub.Files["flow.pt"], Path.Combine(model.Path, "flow.pt"));
        Assert.Equal([0, 100, 200], hub.Requests.Where(request => request.File == "flow.pt").Select(request => request.From));
        Assert.Equal(2, time.Waits.Count);
    }

    [Theory]
    [InlineData("../evil.pt")]
    [InlineData("/etc/evil")]
    [InlineData("a/../../evil")]
    [InlineData("C:evil")]
    [InlineData("a\\..\\evil")]
    [InlineData("nul.pt")]
    [InlineData("a//b")]
    public async Task A_name_that_leaves_the_folder_is_refused(string name)
    {
        await using var hub = await TestHub.StartAsync();
        hub.Files[name] = new ServedFile(100, 1);
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder["cache"])));
        Assert.Contains("outside the model's folder", error.Message);
        Assert.Empty(hub.Requests);
        Assert.False(Directory.Exists(_folder["cache"]));
    }

    [Fact]
    public async Task Too_small_a_disk_is_told_before_anything_is_fetched()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Describe = (name, file) => (name == "flow.pt" ? 1L << 60 : file.Length, file.Checksum);
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Contains("MB are needed", error.Message);
        Assert.DoesNotContain(hub.Requests, request => hub.Files[request.File].IsLfs);
    }

    [Fact]
    public async Task What_is_no_model_is_told_before_anything_is_fetched()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Files.Remove("hift.pt");
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Contains("lacks hift.pt", error.Message);
        hub.Files.Remove("cosyvoice3.yaml");
        error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path)));
        Assert.Contains("no CosyVoice2 or CosyVoice3 model", error.Message);
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task What_is_cancelled_ends_at_once_and_goes_on_later()
    {
        await using var hub = await TestHub.StartAsync(FakeModel.Create(3_000_000));
        foreach (var at in new[] { 1L, 500_000, 1_500_000, 2_900_000 })
        {
            using var cancellation = new CancellationTokenSource();
            hub.Sent = (served, sent, _, _) =>
            {
                if (served.File == "flow.pt" && sent >= at)
                    cancellation.Cancel();
                return Task.CompletedTask;
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path), null,
                cancellation.Token));
        }
        hub.Sent = (_, _, _, _) => Task.CompletedTask;
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        foreach (var name in FakeModel.Needed)
            PullTests.AssertSame(hub.Files[name], Path.Combine(model.Path, name));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path), null,
            cancelled.Token));
    }

    [Fact]
    public async Task A_model_that_is_being_fetched_is_not_removed()
    {
        await using var hub = await TestHub.StartAsync();
        var options = hub.Options(_folder.Path);
        Exception? refused = null;
        hub.Sent = (served, _, _, _) =>
        {
            if (served.File == "flow.pt")
                refused ??= Record.Exception(() => TtsModels.Remove(FakeModel.Name, options));
            return Task.CompletedTask;
        };
        await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.Contains("is being fetched", Assert.IsType<TtsDownloadException>(refused).Message);
        Assert.True(TtsModels.Remove(FakeModel.Name, options));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("../a/b")]
    [InlineData("a/b/c")]
    [InlineData("a/..")]
    [InlineData("a/b\0")]
    public async Task A_name_that_cannot_be_one_is_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(() => TtsModels.PullAsync(name,
            new ModelHubOptions { CacheFolder = _folder.Path, Offline = true }));

    public void Dispose() => _folder.Dispose();

    private sealed class Troubles : IProgress<ModelPullProgress>
    {
        public List<string> All { get; } = [];

        public void Report(ModelPullProgress value)
        {
            Assert.Equal(0, value.Fraction);
            All.Add(value.Trouble!);
        }
    }
}
