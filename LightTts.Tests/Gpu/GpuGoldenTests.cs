using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Pipeline;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>The models on the GPU in 32 bits against what the reference computed on a CPU, and against themselves.</summary>
/// <remarks>The tolerances are those of the CPU's tests where sums are only ordered
/// differently, and ten times that where differences grow along the way.</remarks>
[Collection(GpuCollection.Name)]
public sealed class GpuGoldenTests(ITestOutputHelper output)
{
    public static readonly TheoryData<string> References = ["ref_0_slt", "ref_1_rms", "ref_2_us"];

    /// <summary>Log-probabilities of every step of a sentence, teacher forced.</summary>
    [Theory]
    [MemberData(nameof(References))]
    public void Language_model(string name)
    {
        var device = TestDevice.Get();
        using var golden = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var model = LanguageModels.Load("en", torch: true, device: device);
        using var thread = model.EnterThread();
        using var state = model.CreateState();
        var tokens = Flows.Ints(golden, "speech_token");
        var stream = new OneShotTokenStream(model.Vocabulary, Flows.Ints(golden, "prompt_text_token"), Flows.Ints(golden, "text_token"),
            Flows.Ints(golden, "prompt_speech_token"), new(0, 1000), seed: 0);
        var top = golden.Tensors["llm_top32_logp"].ToSingles();
        var ids = Flows.Ints(golden, "llm_top32_id");
        var minimum = 2 * Flows.Ints(golden, "text_token").Length;
        var worst = 0f;
        for (var i = 0; i <= tokens.Length; i++)
        {
            var actual = LanguageModels.LogProbabilities(model, state, stream.Pending.ToArray());
            for (var k = 0; k < 32; k++)
                if (ids[32 * i + k] is var id && (i >= minimum || id != model.Vocabulary.IgnoreEosMask)) // masked in the recording until then
                    worst = MathF.Max(worst, float.IsNaN(actual[id]) ? float.PositiveInfinity : MathF.Abs(actual[id] - top[32 * i + k]));
            if (i < tokens.Length)
                stream.Accept(tokens[i]);
        }
        output.WriteLine($"{name}: {tokens.Length + 1} steps, largest difference of a log-probability {worst:E1}");
        Assert.True(worst <= 1e-3f, $"log-probabilities differ by {worst}");
    }

    /// <summary>A row gives the same in any company, up to the order of sums.</summary>
    [Fact]
    public void Language_model_rows_in_company()
    {
        var device = TestDevice.Get();
        using var model = LanguageModels.Load("en", torch: true, new LanguageModelOptions(512, new LanguageLimits(32, 2048)), device);
        using var thread = model.EnterThread();
        var random = new Random(5);
        var prompts = Enumerable.Range(0, 20).Select(i => Enumerable.Range(0, 20 + 13 * i).Select(_ => ~random.Next(6561)).ToArray()).ToArray();
        List<float[]> alone = [];
        foreach (var prompt in prompts)
        {
            using var state = model.CreateState();
            LanguageModels.LogProbabilities(model, state, prompt);
            LanguageModels.LogProbabilities(model, state, ~7);
            alone.Add(LanguageModels.LogProbabilities(model, state, ~9));
        }
        var states = prompts.Select(_ => model.CreateState()).ToArray();
        LanguageRow Row(int i, params int[] inputs) => new() { State = states[i], Inputs = inputs, Draw = LanguageModels.AnyDraw };
        model.Forward([.. prompts.Select((prompt, i) => Row(i, prompt))]);
        model.Forward([.. prompts.Select((_, i) => Row(i, ~7))]);
        var width = model.Vocabulary.LogitCount;
        var together = model.Forward([.. prompts.Select((_, i) => Row(i, ~9))]).ToArray();
        var worst = 0f;
        for (var i = 0; i < prompts.Length; i++)
            worst = MathF.Max(worst, Vocoders.MaxDifference(alone[i], LanguageModels.LogSoftmax(together[(i * width)..((i + 1) * width)])));
        foreach (var state in states)
            state.Dispose();
        output.WriteLine($"20 rows of different lengths against each alone: {worst:E1}");
        Assert.True(worst <= 1e-3f, $"log-probabilities differ by {worst}");
    }

    [Theory]
    [MemberData(nameof(References))]
    public void Flow_mel(string name)
    {
        var device = TestDevice.Get();
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var flow = Flows.TinyEn(device: device);
        using var state = flow.Start(Flows.Timbre(file, "prompt_speech_token", "prompt_speech_feat", "embedding"), streaming: false, steps: 10);
        using var mel = flow.Run(state, Flows.Ints(file, "speech_token"), final: true)!.cpu();
        var difference = Flows.Difference(Flows.Fixture(file, "mel"), mel);
        output.WriteLine($"{name}: mel differs by {difference:E1}");
        Assert.True(difference <= 1e-3f, $"mel differs by {difference}");
    }

    [Theory]
    [MemberData(nameof(References))]
    public void Vocoder_samples(string name)
    {
        var device = TestDevice.Get();
        using var golden = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var vocoder = Vocoders.TinyEn(new Vocoders.Stored(golden.Values("sinegen_noise")), device);
        using var mel = golden.Tensor("mel");
        var difference = Vocoders.MaxDifference(golden.Values("wav"), vocoder.Run(mel));
        output.WriteLine($"{name}: samples differ by {difference:E1}");
        Assert.True(difference < 2e-3f, $"samples differ by {difference}");
    }

    [Fact]
    public void Vocoder_batch_equals_its_rows()
    {
        var device = TestDevice.Get();
        using var golden = SafetensorsFile.Open(Repo.Voice("reference/ref_1_rms.safetensors"));
        using var vocoder = Vocoders.TinyEn(new Vocoders.Stored(golden.Values("sinegen_noise")), device);
        using var mel = golden.Tensor("mel");
        var alone = vocoder.Run(mel);
        VocoderRow[] rows = [.. Enumerable.Range(0, 16).Select(_ => new VocoderRow { State = vocoder.CreateState(), Mel = mel, Final = true })];
        vocoder.Run(rows);
        var worst = 0f;
        foreach (var row in rows)
        {
            Assert.Null(row.Error);
            worst = MathF.Max(worst, Vocoders.MaxDifference(alone, row.Samples));
            row.State.Dispose();
        }
        output.WriteLine($"16 rows against one: {worst:E1}");
        Assert.True(worst < 1e-3f, $"samples differ by {worst}");
    }

    /// <summary>Fed in pieces, an utterance gives the audio of one chunk-causal pass.</summary>
    [Theory]
    [InlineData("ref_0_slt", 0)]
    [InlineData("ref_1_rms", 7)]
    [InlineData("ref_2_us", 1)]
    public void Streamed_equals_one_pass(string name, int piece)
    {
        var device = TestDevice.Get();
        using var file = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        var voice = Flows.Timbre(file, "prompt_speech_token", "prompt_speech_feat", "embedding");
        var tokens = Flows.Ints(file, "speech_token");
        var config = ModelDirectory.Open(Repo.TinyEn).Config;
        using var decoder = new CosyVoiceDecoder(Flows.TinyEn(device: device),
            Vocoders.TinyEn(VocoderNoise.OfFreshModel(config.Flow, config.Vocoder), device), config,
            new TorchThread(Environment.ProcessorCount), lanes: null, maxRows: 16);
        using var thread = decoder.EnterThread();
        var options = new DecodeOptions(Streaming: true, FlowSteps: 5, Speed: 1);
        float[] Decode(IDecodeState state, ReadOnlyMemory<int> part, bool final)
        {
            var row = new DecodeRow { State = state, Tokens = part, Final = final };
            decoder.Decode([row]);
            Assert.Null(row.Error);
            return row.Samples;
        }

        using var whole = decoder.Start(voice, options);
        var expected = Decode(whole, tokens, final: true);
        using var streamed = decoder.Start(voice, options);
        List<float> joined = [];
        for (var at = 0; at < tokens.Length;)
        {
            var count = Math.Min(piece > 0 ? piece : Math.Max(1, streamed.TokensWanted), tokens.Length - at);
            joined.AddRange(Decode(streamed, tokens.AsMemory(at, count), final: at + count == tokens.Length));
            at += count;
        }
        var difference = Vocoders.MaxDifference(expected, joined.ToArray());
        output.WriteLine($"{name}: {tokens.Length} tokens in pieces of {piece}: largest difference {difference:E1}");
        Assert.True(difference <= 1e-3f, $"differs by {difference}");
    }
}

/// <summary>Tests that share a GPU, one after the other, so that what they say of its memory is theirs.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class GpuCollection
{
    public const string Name = "Gpu";
}
