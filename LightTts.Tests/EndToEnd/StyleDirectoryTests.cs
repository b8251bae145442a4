using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>Model directories with several language models (style_config.json, LightTTS's layout), and models that come and go at run time.</summary>
public sealed class StyleDirectoryTests : IDisposable
{
    private const string Text = "The quick brown fox.";

    private readonly TempFolder _model = new();

    public StyleDirectoryTests() => Copy(Repo.Golden("main/models/cosyvoice3-tiny"), _model.Path);

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task A_directory_without_styles_has_the_seed_systems_one()
    {
        await using var pipeline = await TtsPipeline.LoadAsync(Options());
        Assert.Equal(["cosyvoice"], pipeline.Styles);
        Assert.Equal(await Speak(pipeline, null), await Speak(pipeline, "cosyvoice"));
    }

    [Fact]
    public async Task Styles_are_those_of_the_file_in_its_order_and_their_files_are_read()
    {
        Directory.CreateDirectory(_model["styles"]);
        File.Move(_model["llm.pt"], _model["styles/calm.pt"]);
        File.Copy(_model["styles/calm.pt"], _model["styles/angry.pt"]);
        _model.Write("style_config.json", """
            {"lora_info": [{"style_name": "calm", "llm_path": "styles/calm.pt"}, {"style_name": "angry", "gpt_model_path": "./styles/angry.pt"}]}
            """);
        var steps = new List<string>();
        await using var pipeline = await TtsPipeline.LoadAsync(Options(), new Collected(steps));
        Assert.Equal(["calm", "angry"], pipeline.Styles);
        Assert.Contains("style angry", steps);
        Assert.Equal(await Speak(pipeline, null), await Speak(pipeline, "calm"));
        Assert.NotEmpty(await Speak(pipeline, "angry"));
        var error = Assert.Throws<TtsRequestException>(() => pipeline.SynthesizeAsync(new SynthesisRequest { Text = Text, Style = "sad" }));
        Assert.Equal("There is no style 'sad'. The styles are: calm, angry.", error.Message);
    }

    [Theory]
    [InlineData("""{"lora_info": [{"style_name": "a", "llm_path": "../llm.pt"}]}""", "must be relative and stay inside")]
    [InlineData("""{"lora_info": [{"style_name": "a", "llm_path": "/etc/passwd"}]}""", "must be relative and stay inside")]
    [InlineData("""{"lora_info": [{"style_name": "a", "llm_path": "none.pt"}]}""", "none.pt is missing")]
    [InlineData("""{"lora_info": [{"style_name": "a b", "llm_path": "llm.pt"}]}""", "not a name")]
    [InlineData("""{"lora_info": [{"style_name": "a", "llm_path": "llm.pt"}, {"style_name": "a", "llm_path": "llm.pt"}]}""", "'a' is there twice")]
    [InlineData("""{"lora_info": [{"llm_path": "llm.pt"}]}""", "style_name")]
    [InlineData("""{"lora_info": [{"style_name": "a"}]}""", "llm_path")]
    [InlineData("""{"lora_info": []}""", "must name 1 to 64 styles")]
    [InlineData("""{}""", "lora_info")]
    [InlineData("""{"lora_info": [{"style_name": "a", "llm_path": "flow.pt"}]}""", "flow.pt")]
    public async Task A_bad_file_of_styles_is_refused_with_what_is_wrong(string config, string says)
    {
        _model.Write("style_config.json", config);
        var error = await Assert.ThrowsAsync<TtsModelLoadException>(() => TtsPipeline.LoadAsync(Options()));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_style_is_added_and_removed_at_run_time()
    {
        await using var pipeline = await TtsPipeline.LoadAsync(Options());
        var first = await Speak(pipeline, null);
        Directory.CreateDirectory(_model["more"]);
        File.Copy(_model["llm.pt"], _model["more/llm.pt"]);
        await pipeline.AddStyleAsync("file", _model["llm.pt"]);
        await pipeline.AddStyleAsync("folder", _model["more"]);
        Assert.Equal(["cosyvoice", "file", "folder"], pipeline.Styles);
        Assert.Equal(first, await Speak(pipeline, "file"));
        Assert.Equal(first, await Speak(pipeline, "folder"));
        await Assert.ThrowsAsync<ArgumentException>(() => pipeline.AddStyleAsync("file", _model["llm.pt"]));
        await Assert.ThrowsAsync<ArgumentException>(() => pipeline.AddStyleAsync("a/b", _model["llm.pt"]));
        await Assert.ThrowsAsync<TtsModelLoadException>(() => pipeline.AddStyleAsync("bad", _model["flow.pt"]));
        await Assert.ThrowsAsync<TtsModelLoadException>(() => pipeline.AddStyleAsync("none", _model["none.pt"]));
        await Assert.ThrowsAsync<ArgumentException>(() => pipeline.RemoveStyleAsync("cosyvoice"));
        Assert.True(await pipeline.RemoveStyleAsync("file"));
        Assert.False(await pipeline.RemoveStyleAsync("file"));
        Assert.Equal(["cosyvoice", "folder"], pipeline.Styles);
        Assert.Equal(first, await Speak(pipeline, "folder"));
    }

    [Fact]
    public async Task Styles_share_a_budget_and_removing_one_makes_room()
    {
        var options = Options();
        options.KvCacheTokens = 1024;
        options.StyleBytes = 0;
        long needed;
        await using (var one = await TtsPipeline.LoadAsync(options))
        {
            var error = await Assert.ThrowsAsync<TtsModelLoadException>(() => one.AddStyleAsync("more", _model["llm.pt"]));
            Assert.Contains("StyleBytes", error.Message, StringComparison.Ordinal);
            needed = long.Parse(error.Message.Split("needs ")[1].Split(' ')[0].Replace(",", "", StringComparison.Ordinal),
                System.Globalization.CultureInfo.InvariantCulture);
        }
        Assert.InRange(needed, new FileInfo(_model["llm.pt"]).Length / 4, 100_000_000);
        options.StyleBytes = 2 * needed;
        await using var pipeline = await TtsPipeline.LoadAsync(options);
        await pipeline.AddStyleAsync("a", _model["llm.pt"]);
        await Assert.ThrowsAsync<TtsModelLoadException>(() => pipeline.AddStyleAsync("bad", _model["flow.pt"])); // takes nothing
        await pipeline.AddStyleAsync("b", _model["llm.pt"]);
        await Assert.ThrowsAsync<TtsModelLoadException>(() => pipeline.AddStyleAsync("c", _model["llm.pt"]));

        // A removal waits for who uses the style; only then is there room.
        var speaking = pipeline.SynthesizeAsync(new SynthesisRequest { Text = Text, Voice = "my_zero_shot_spk", Style = "a" }).GetAsyncEnumerator();
        Assert.True(await speaking.MoveNextAsync());
        var removal = pipeline.RemoveStyleAsync("a");
        await Assert.ThrowsAsync<TtsModelLoadException>(() => pipeline.AddStyleAsync("c", _model["llm.pt"]));
        await speaking.DisposeAsync();
        Assert.True(await removal);
        await pipeline.AddStyleAsync("c", _model["llm.pt"]);
        Assert.NotEmpty(await Speak(pipeline, "c"));
        Assert.Equal(["cosyvoice", "b", "c"], pipeline.Styles);
    }

    [Fact]
    public async Task A_load_that_is_cancelled_stops_between_files()
    {
        using var cancel = new CancellationTokenSource();
        var steps = new List<string>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TtsPipeline.LoadAsync(Options(), new Collected(steps, step =>
        {
            if (step == "native libraries")
                cancel.Cancel();
        }), cancel.Token));
        Assert.DoesNotContain("warm-up", steps);
    }

    private TtsPipelineOptions Options()
    {
        var options = SharedPipeline.Options();
        options.ModelPath = _model.Path;
        return options;
    }

    private static async Task<float[]> Speak(ITtsPipeline pipeline, string? style) =>
        (await pipeline.SpeakAsync(new SynthesisRequest { Text = Text, Voice = "my_zero_shot_spk", Seed = 1, Style = style })).Samples.ToArray();

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(target, File.ReadAllBytes(file)); // not its mode: the fixtures may be read-only
        }
    }

    private sealed class Collected(List<string> steps, Action<string>? also = null) : IProgress<TtsLoadProgress>
    {
        public void Report(TtsLoadProgress value)
        {
            lock (steps)
                steps.Add(value.Step);
            also?.Invoke(value.Step);
        }
    }
}
