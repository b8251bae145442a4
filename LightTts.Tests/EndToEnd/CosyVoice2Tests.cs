using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>A CosyVoice2 directory through the public pipeline: recognised, learns voices, speaks in every way, and company changes nothing.
/// The fixtures' model says nothing that could be understood; what it says is held to the reference by the golden tests.</summary>
public sealed class CosyVoice2Tests(ITestOutputHelper output)
{
    private const string Voice = "my_zero_shot_spk";
    private const string Text = "The quick brown fox jumps over the lazy dog.";

    private static readonly Lazy<Task<TtsPipeline>> Loaded = new(() => TtsPipeline.LoadAsync(Options(Repo.Golden("main/models/cosyvoice2-tiny"))));

    [Fact]
    public async Task It_is_recognised_and_its_voices_are_there()
    {
        var pipeline = await Loaded.Value;
        Assert.Equal(ModelFamily.CosyVoice2, pipeline.Model.Family);
        Assert.Equal(["spk_a", Voice], pipeline.Model.Voices.Select(voice => voice.Name));
    }

    [Theory]
    [InlineData(AudioDelivery.Whole)]
    [InlineData(AudioDelivery.Streaming)]
    public async Task Every_voice_speaks_and_the_same_seed_says_the_same(AudioDelivery mode)
    {
        var pipeline = await Loaded.Value;
        foreach (var voice in pipeline.Model.Voices)
        {
            var request = Request(1, mode) with { Voice = voice.Name };
            var first = await CollectAsync(pipeline.SynthesizeAsync(request));
            var second = await CollectAsync(pipeline.SynthesizeAsync(request));
            Assert.InRange(first.Tokens.Count, 20, 80);
            Assert.Equal(960 * first.Tokens.Count, first.Samples.Count);
            Assert.Equal(first.Tokens, second.Tokens);
            Near(first.Samples, second.Samples);
            if (mode == AudioDelivery.Streaming)
                Assert.True(first.Chunks > 1, "one chunk");
        }
    }

    [Fact]
    public async Task Streamed_text_is_spoken()
    {
        var pipeline = await Loaded.Value;
        var speech = await CollectAsync(pipeline.SynthesizeAsync(Words(), Request(2, AudioDelivery.Streaming)));
        Assert.InRange(speech.Tokens.Count, 20, 400);
        Assert.Equal(960 * speech.Tokens.Count, speech.Samples.Count);
    }

    [Fact]
    public async Task A_learnt_voice_speaks_and_an_instruction_is_followed_to_the_end()
    {
        var pipeline = await Loaded.Value;
        var reference = AudioClip.FromWavFile(Repo.Golden("main/prompt_44k_stereo.wav"));
        foreach (var transcript in new[] { "Hello there.", null })
        {
            var voice = await pipeline.Timbres.AddAsync(reference, transcript);
            foreach (var instruction in new[] { null, "Speak slowly." })
            {
                var request = Request(3, AudioDelivery.Streaming) with { Voice = null, Timbre = voice, Instruction = instruction };
                var speech = await CollectAsync(pipeline.SynthesizeAsync(request));
                Assert.Equal(960 * speech.Tokens.Count, speech.Samples.Count);
            }
        }
    }

    [Fact]
    public async Task Rows_in_company_are_what_they_are_alone()
    {
        var pipeline = await Loaded.Value;
        SynthesisRequest[] requests = [.. Enumerable.Range(10, 8).Select(i => Request(i, i % 2 == 0 ? AudioDelivery.Whole : AudioDelivery.Streaming)
            with { Voice = i % 3 == 0 ? "spk_a" : Voice, Speed = i % 4 == 0 ? 1.25 : 1 })];
        List<Speech> alone = [];
        foreach (var request in requests)
            alone.Add(await CollectAsync(pipeline.SynthesizeAsync(request)));
        var company = await Task.WhenAll(requests.Select(request => CollectAsync(pipeline.SynthesizeAsync(request))));
        foreach (var ((request, one), other) in requests.Zip(alone).Zip(company))
        {
            Assert.Equal(one.Tokens, other.Tokens);
            if (request.Delivery == AudioDelivery.Whole)
                Assert.Equal(one.Samples, other.Samples);
            else
                Near(one.Samples, other.Samples);
        }
    }

    /// <summary>Configurations that the reference's classes could be made of, but that are not supported, and some that nothing could be.</summary>
    [Theory]
    [InlineData("channels: [16]", "channels: [16, 32]", "channels")]
    [InlineData("use_cnn_module: False", "use_cnn_module: True", "use_cnn_module")]
    [InlineData("pos_enc_layer_type: 'rel_pos_espnet'", "pos_enc_layer_type: 'abs_pos'", "pos_enc_layer_type")]
    [InlineData("attention_heads: 4", "attention_heads: 5", "attention_heads")]
    [InlineData("in_channels: 320", "in_channels: 240", "in_channels")]
    [InlineData("num_mid_blocks: 2", "num_mid_blocks: 3", "mid_blocks.2")]
    [InlineData("upsample_kernel_sizes: [16, 11, 7]", "upsample_kernel_sizes: [16, 10, 7]", "kernel 10")]
    [InlineData("HiFTGenerator", "CausalHiFTGenerator", "CosyVoice2")]
    public async Task What_is_not_supported_is_refused_by_name(string old, string replacement, string named)
    {
        var golden = Repo.Golden("main/models/cosyvoice2-tiny");
        using var folder = new TempFolder();
        foreach (var file in Directory.EnumerateFiles(golden, "*", SearchOption.AllDirectories))
        {
            var target = folder[Path.GetRelativePath(golden, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        var yaml = File.ReadAllText(folder["cosyvoice2.yaml"]);
        Assert.Contains(old, yaml, StringComparison.Ordinal);
        folder.Write("cosyvoice2.yaml", yaml.Replace(old, replacement, StringComparison.Ordinal));
        var error = await Assert.ThrowsAsync<TtsModelLoadException>(() => TtsPipeline.LoadAsync(Options(folder.Path)));
        output.WriteLine(error.Message.Length > 500 ? error.Message[..500] : error.Message);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    private static TtsPipelineOptions Options(string path)
    {
        var options = SharedPipeline.Options();
        (options.ModelPath, options.MaxRedraws) = (path, 0);
        return options;
    }

    private static SynthesisRequest Request(int seed, AudioDelivery mode) =>
        new() { Text = Text, Voice = Voice, Seed = seed, Delivery = mode, FlowSteps = 3, MaxSpeechTokens = 80 };

    private static async IAsyncEnumerable<string> Words()
    {
        foreach (var word in Text.Split(' '))
        {
            await Task.Yield();
            yield return word + " ";
        }
    }

    private static async Task<Speech> CollectAsync(IAsyncEnumerable<AudioChunk> chunks)
    {
        var speech = new Speech();
        await foreach (var chunk in chunks)
        {
            speech.Samples.AddRange(chunk.Samples.Span);
            speech.Tokens.AddRange(chunk.SpeechTokens.Span);
            speech.Chunks += chunk.Samples.Length > 0 ? 1 : 0;
        }
        Assert.All(speech.Samples, sample => Assert.InRange(sample, -1, 1));
        return speech;
    }

    /// <summary>Chunks are cut by the listener's lead, and where they are cut moves the last bits of the flow, which the phase adds up.</summary>
    private void Near(List<float> expected, List<float> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        double signal = 0, noise = 0;
        for (var i = 0; i < expected.Count; i++)
        {
            signal += (double)expected[i] * expected[i];
            noise += Math.Pow((double)expected[i] - actual[i], 2);
        }
        output.WriteLine($"signal to difference {10 * Math.Log10(signal / noise):0.0} dB");
        Assert.True(noise <= signal * 1e-4, $"differs by {noise / signal:E1}");
    }

    private sealed class Speech
    {
        public List<float> Samples { get; } = [];

        public List<int> Tokens { get; } = [];

        public int Chunks { get; set; }
    }
}
