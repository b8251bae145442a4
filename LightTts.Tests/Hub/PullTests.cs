using System.Text;
using LightTts.Tests.Support;

namespace LightTts.Tests.Hub;

/// <summary>Models are fetched whole, once, and into the layout that the hub's own tools use.</summary>
public sealed class PullTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task The_files_that_are_needed_come_and_no_others()
    {
        await using var hub = await TestHub.StartAsync();
        var progress = new Received();
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path), progress);
        Assert.Equal((FakeModel.Name, TestHub.Commit, true), (model.Name, model.Commit, model.IsComplete));
        Assert.Equal(["main"], model.Revisions);
        Assert.Equal(FakeModel.Needed, Names(model.Path));
        foreach (var name in FakeModel.Needed)
            AssertSame(hub.Files[name], Path.Combine(model.Path, name));
        Assert.Equal(FakeModel.Needed.Length, hub.Requests.Count);
        Assert.Equal(FakeModel.Needed.Sum(name => hub.Files[name].Length), model.Bytes);
        Assert.Equal((model.Bytes, model.Bytes, 1.0), (progress.Last.Bytes, progress.Last.TotalBytes, progress.Last.Fraction));
        Assert.Equal("CosyVoice3", TtsModels.Inspect(model.Path).Family.ToString());

        // The layout of the hub's own tools.
        var root = Path.Combine(_folder.Path, "models--somebody--Some-Model_1.0");
        Assert.Equal(TestHub.Commit, File.ReadAllText(Path.Combine(root, "refs", "main")));
        Assert.Equal(FakeModel.Needed.Select(name => hub.Files[name].Checksum).Order(StringComparer.Ordinal), Names(Path.Combine(root, "blobs")));
        if (!OperatingSystem.IsWindows())
            Assert.Equal($"../../../blobs/{hub.Files["CosyVoice-BlankEN/vocab.json"].Checksum}",
                new FileInfo(Path.Combine(model.Path, "CosyVoice-BlankEN", "vocab.json")).LinkTarget);
    }

    [Fact]
    public async Task What_is_there_is_not_fetched_again()
    {
        await using var hub = await TestHub.StartAsync();
        var options = hub.Options(_folder.Path);
        // Another tool has had two files of it: one whole, one half.
        var blobs = "models--somebody--Some-Model_1.0/blobs/";
        _folder.Write(blobs + hub.Files["llm.pt"].Checksum, Content(hub.Files["llm.pt"], 0));
        _folder.Write(blobs + hub.Files["flow.pt"].Checksum + ".incomplete", Content(hub.Files["flow.pt"], 0).AsSpan(0, 123_457).ToArray());
        await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.DoesNotContain(hub.Requests, request => request.File == "llm.pt");
        Assert.Equal(123_457, Assert.Single(hub.Requests, request => request.File == "flow.pt").From);

        var before = hub.Requests.Count;
        var again = await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.Equal(before, hub.Requests.Count);

        // By its commit, not even the hub is asked; nor offline.
        options.Revision = TestHub.Commit;
        var listings = hub.Listings.Count;
        Assert.Equal(again.Path, (await TtsModels.PullAsync(FakeModel.Name, options)).Path);
        var offline = new ModelHubOptions { CacheFolder = _folder.Path, Offline = true };
        Assert.Equal(again.Path, (await TtsModels.PullAsync(FakeModel.Name, offline)).Path);
        Assert.Equal(listings, hub.Listings.Count);
        Assert.Equal([again.Path], TtsModels.List(offline).Select(model => model.Path));

        Assert.True(TtsModels.Remove(FakeModel.Name, offline));
        Assert.False(TtsModels.Remove(FakeModel.Name, offline));
        Assert.Empty(TtsModels.List(offline));
        var error = await Assert.ThrowsAsync<TtsDownloadException>(() => TtsModels.PullAsync(FakeModel.Name, offline));
        Assert.Contains("HF_HUB_OFFLINE", error.Message);
    }

    [Fact]
    public async Task Files_that_others_name_come_with_them()
    {
        await using var hub = await TestHub.StartAsync();
        void Add(string name, string text) => hub.Files[name] = new ServedFile(Encoding.UTF8.GetBytes(text));
        Add("lighttts.json", """{"name": "Named", "voices": "prompts/prompts.json"}""");
        Add("prompts/prompts.json", """{"voices": [{"name": "ann", "file": "prompts/ann.wav"}], "default": "ann"}""");
        Add("prompts/ann.wav", "RIFF");
        Add("prompts/nobody.wav", "RIFF");
        Add("style_config.json",
            """{"lora_info": [{"style_name": "calm", "llm_path": "./calm.pt"}, {"style_name": "loud", "llm_path": "llm.pt"}]}""");
        hub.Files["calm.pt"] = new ServedFile(1000, 77);
        var options = hub.Options(_folder.Path);
        options.Include.Add("*.onnx");
        var model = await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.Equal(FakeModel.Needed.Concat(["lighttts.json", "prompts/prompts.json", "prompts/ann.wav", "style_config.json", "calm.pt",
            "flow.decoder.estimator.fp32.onnx"]).Order(StringComparer.Ordinal), Names(model.Path));
        var summary = TtsModels.Inspect(FakeModel.Name, options);
        Assert.Equal(("Named", "calm, loud", "ann"), (summary.Name, string.Join(", ", summary.Styles), string.Join(", ", summary.Voices)));
    }

    [Fact]
    public async Task A_mirror_without_checksums_in_its_listing_is_asked_for_each()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Describes = false;
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        foreach (var name in FakeModel.Needed)
            AssertSame(hub.Files[name], Path.Combine(model.Path, name));
    }

    [Fact]
    public async Task ModelScope_s_routes_are_known()
    {
        var files = FakeModel.Create();
        foreach (var (name, file) in files.ToList())
            files[name] = file.IsLfs ? file : new ServedFile(file.Length + 10_000, 50);
        files["cosyvoice3.yaml"] = new ServedFile(20_000, 51);
        await using var hub = await TestHub.StartAsync(files);
        var options = hub.Options(_folder.Path);
        options.Kind = ModelHubKind.ModelScope;
        var model = await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.Equal(["master"], model.Revisions);
        foreach (var name in FakeModel.Needed)
            AssertSame(files[name], Path.Combine(model.Path, name));
        Assert.All(hub.Listings, listing => Assert.StartsWith("/api/v1/models/", listing));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_to_nobody_else()
    {
        await using var hub = await TestHub.StartAsync();
        var options = hub.Options(_folder.Path);
        options.Token = "secret";
        await TtsModels.PullAsync(FakeModel.Name, options);
        Assert.NotEmpty(hub.Requests);
        Assert.All(hub.Requests, request => Assert.Equal(hub.Files[request.File].IsLfs ? null : "Bearer secret", request.Authorization));
    }

    [Fact]
    public async Task Two_that_pull_at_once_fetch_it_once()
    {
        await using var hub = await TestHub.StartAsync(FakeModel.Create(5_000_000));
        using var other = ChildProcess.Start(PullWorker.Role, hub.Endpoint.ToString(), _folder.Path);
        var mine = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        Assert.Equal(mine.Path, other.ReadLine());
        Assert.Equal(0, other.WaitForExit());
        Assert.Equal(FakeModel.Needed, hub.Requests.Select(request => request.File).Order(StringComparer.Ordinal));
        foreach (var name in FakeModel.Needed)
            AssertSame(hub.Files[name], Path.Combine(mine.Path, name));
    }

    [Fact]
    public async Task One_that_is_killed_leaves_its_part_to_the_next()
    {
        await using var hub = await TestHub.StartAsync(FakeModel.Create(5_000_000));
        var half = new TaskCompletionSource();
        hub.Sent = async (served, at, _, cancellation) =>
        {
            if (served.File != "flow.pt" || half.Task.IsCompleted || at < 2_500_000)
                return;
            half.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        };
        using (var killed = ChildProcess.Start(PullWorker.Role, hub.Endpoint.ToString(), _folder.Path))
        {
            await half.Task;
            // What was sent is not yet what was written.
            bool HasPart() => Directory.EnumerateFiles(_folder.Path, hub.Files["flow.pt"].Checksum + ".incomplete", SearchOption.AllDirectories)
                .Any(path => new FileInfo(path).Length > 0);
            Assert.True(SpinWait.SpinUntil(HasPart, TimeSpan.FromSeconds(30)));
            killed.Kill();
        }
        var model = await TtsModels.PullAsync(FakeModel.Name, hub.Options(_folder.Path));
        foreach (var name in FakeModel.Needed)
            AssertSame(hub.Files[name], Path.Combine(model.Path, name));
        var tries = hub.Requests.Where(request => request.File == "flow.pt").ToList();
        Assert.Equal(2, tries.Count);
        Assert.InRange(tries[1].From, 1, tries[0].Sent);
    }

    public void Dispose() => _folder.Dispose();

    internal static void AssertSame(ServedFile expected, string path)
    {
        using var file = File.OpenRead(path);
        Assert.Equal(expected.Length, file.Length);
        var (got, wanted) = (new byte[1 << 20], new byte[1 << 20]);
        for (long at = 0; at < expected.Length;)
        {
            var count = file.ReadAtLeast(got, got.Length, throwOnEndOfStream: false);
            expected.Read(at, wanted.AsSpan(0, count));
            Assert.True(got.AsSpan(0, count).SequenceEqual(wanted.AsSpan(0, count)), $"{path} differs after byte {at}");
            at += count;
        }
    }

    private static byte[] Content(ServedFile file, long from)
    {
        var bytes = new byte[file.Length - from];
        file.Read(from, bytes);
        return bytes;
    }

    private static IEnumerable<string> Names(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/')).Order(StringComparer.Ordinal);
}
