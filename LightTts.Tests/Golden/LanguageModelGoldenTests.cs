using System.Text.Json;
using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Language;
using LightTts.Pipeline;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

/// <summary>The language model against the reference's log-probabilities.</summary>
public class LanguageModelGoldenTests
{
    [Theory]
    [InlineData("cv3", true)]
    [InlineData("cv3", false)]
    [InlineData("cv2", true)]
    [InlineData("cv2", false)]
    public void MatchesTheReferenceStepByStep(string name, bool torch)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden($"main/llm_{name}.safetensors"));
        using var model = LanguageModels.Load(name, torch);
        using var state = model.CreateState();
        var stream = new OneShotTokenStream(
            model.Vocabulary, Ints(golden, "prompt_text"), Ints(golden, "text"), Ints(golden, "prompt_speech_token"), new(0, 100), seed: 0);
        var steps = golden.Tensors["logp_steps"].ToSingles();
        var forced = Ints(golden, "forced_tokens");
        var width = model.Vocabulary.LogitCount;
        for (var i = 0; i <= forced.Length; i++)
        {
            var actual = LanguageModels.LogProbabilities(model, state, stream.Pending.ToArray());
            var expected = steps.AsSpan(i * width, width);
            LanguageModels.Close(expected, actual, $"step {i}");
            Assert.Equal(ArgMax(expected), ArgMax(actual));
            if (i < forced.Length)
                stream.Accept(forced[i]);
        }
    }

    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void IdsAreTheReferences(string name)
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Repo.Golden($"main/llm_{name}.json")));
        var ids = golden.RootElement.GetProperty("ids");
        var vocabulary = LanguageVocabulary.For(name == "cv3" ? LanguageModels.Config : LanguageModels.Config2);
        Assert.Equal(ids.GetProperty("eos").GetInt32(), vocabulary.Eos);
        Assert.Equal(ids.GetProperty("fill").GetInt32(), vocabulary.Fill);
        Assert.Equal(ids.GetProperty("speech_token_size").GetInt32(), vocabulary.Size);
        var stops = ids.GetProperty("stop_token_ids_first_last");
        Assert.Equal((stops[0].GetInt32(), stops[1].GetInt32()), (vocabulary.FirstStop, vocabulary.LastStop));
        Assert.Equal(ids.GetProperty("ignore_eos_masks_index")[0].GetInt32(), vocabulary.IgnoreEosMask);
    }

    [Theory]
    [InlineData("cv3", "forced_fill_only", true)]
    [InlineData("cv3", "forced_fill_only", false)]
    [InlineData("cv3", "early_fill", true)]
    [InlineData("cv3", "early_fill", false)]
    [InlineData("cv3", "no_prompt_speech", true)]
    [InlineData("cv3", "no_prompt_speech", false)]
    [InlineData("cv3", "short_text", true)]
    [InlineData("cv3", "short_text", false)]
    [InlineData("cv2", "forced_fill_only", true)]
    [InlineData("cv2", "forced_fill_only", false)]
    [InlineData("cv2", "early_fill", true)]
    [InlineData("cv2", "early_fill", false)]
    [InlineData("cv2", "no_prompt_speech", true)]
    [InlineData("cv2", "no_prompt_speech", false)]
    [InlineData("cv2", "short_text", true)]
    [InlineData("cv2", "short_text", false)]
    public void MatchesTheReferenceInABiStreamedUtterance(string name, string scriptName, bool torch)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden($"main/llm_bistream_{name}.safetensors"));
        using var model = LanguageModels.Load(name, torch);
        using var state = model.CreateState();
        var inputs = BiStreamScript.Load(name, scriptName).Inputs;
        var ends = golden.Tensors[scriptName + ".logp_first_last"].ToSingles();
        var most = golden.Tensors[scriptName + ".logp_max"].ToSingles();
        var best = Ints(golden, scriptName + ".logp_argmax");
        var width = model.Vocabulary.LogitCount;
        for (var i = 0; i < inputs.Length; i++)
        {
            var actual = LanguageModels.LogProbabilities(model, state, inputs[i]);
            Assert.Equal(best[i], ArgMax(actual));
            Assert.Equal(most[i], actual.Max(), 2e-4f);
            if (i == 0)
                LanguageModels.Close(ends.AsSpan(0, width), actual, "first");
            else if (i == inputs.Length - 1)
                LanguageModels.Close(ends.AsSpan(width), actual, "last");
        }
    }

    [Theory]
    [InlineData("ref_0_slt")]
    [InlineData("ref_1_rms")]
    [InlineData("ref_2_us")]
    public void TheEmbeddedVoiceMatchesTheReferenceTeacherForced(string name)
    {
        using var golden = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var model = LanguageModels.Load("en", torch: false);
        using var state = model.CreateState();
        var tokens = Ints(golden, "speech_token");
        var stream = new OneShotTokenStream(
            model.Vocabulary, Ints(golden, "prompt_text_token"), Ints(golden, "text_token"), Ints(golden, "prompt_speech_token"), new(0, 1000),
            seed: 0);
        var chooser = new RecordedChooser(Ints(golden, "llm_draw_n_index"));
        var sampler = new RasSampler(LanguageModels.TinyEn, model.Vocabulary.IgnoreEosMask, model.Vocabulary.IgnoreEosMask);
        float[] first = golden.Tensors["llm_first3_logp"].ToSingles(), top = golden.Tensors["llm_top32_logp"].ToSingles();
        var topIds = Ints(golden, "llm_top32_id");
        int width = model.Vocabulary.LogitCount, minimum = 2 * Ints(golden, "text_token").Length;
        for (var i = 0; i <= tokens.Length; i++)
        {
            var actual = LanguageModels.LogProbabilities(model, state, stream.Pending.ToArray());
            var ignoreEos = i < minimum;
            if (ignoreEos)
                actual[model.Vocabulary.IgnoreEosMask] = float.NegativeInfinity; // as recorded
            if (i < 3)
            {
                var expected = first[(i * width)..((i + 1) * width)];
                Assert.Equal(ignoreEos, float.IsNegativeInfinity(expected[model.Vocabulary.IgnoreEosMask]));
                LanguageModels.Close(Finite(expected), Finite(actual), $"step {i}");
            }

            var ids = topIds[(i * 32)..((i + 1) * 32)];
            LanguageModels.Close(top.AsSpan(i * 32, 32), ids.Select(id => actual[id]).ToArray(), $"top 32 of step {i}");
            Assert.Equal(ids[0], ArgMax(actual));
            if (ignoreEos)
                actual[model.Vocabulary.IgnoreEosMask] = -30;
            var token = sampler.Draw(actual, stream.History, ignoreEos, ref chooser);
            if (i == tokens.Length)
                Assert.True(model.Vocabulary.IsStop(token));
            else
                Assert.Equal(tokens[i], token);
            stream.Accept(token);
        }

        Assert.Equal(chooser.Count, chooser.Used);
    }

    [Theory]
    [InlineData("cv3", true)]
    [InlineData("cv3", false)]
    [InlineData("cv2", true)]
    [InlineData("cv2", false)]
    public void SaysTheReferencesTokensWhereEveryDrawTakesTheMostLikely(string name, bool torch)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/tts_zero_shot_greedy.safetensors"));
        using var features = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        using var model = LanguageModels.Load(name, torch);
        using var state = model.CreateState();
        var run = Repo.Manifest("main/tts_zero_shot_greedy").GetProperty("runs").GetProperty(name);
        var tokenizer = LightTts.Text.QwenTokenizer.Load(Repo.Golden($"main/models/cosyvoice{name[2]}-tiny/CosyVoice-BlankEN"),
            name == "cv2" ? LightTts.Text.SpecialTokens.Version2 : LightTts.Text.SpecialTokens.Version3);
        var text = tokenizer.Encode(run.GetProperty("text").GetString()!); // one sentence that needs no normalisation
        Assert.Equal(tokenizer.Encode(run.GetProperty("prompt_text").GetString()!), Ints(features, $"{name}.zero_shot.prompt_text"));
        var stream = new OneShotTokenStream(model.Vocabulary, Ints(features, $"{name}.zero_shot.prompt_text"), text,
            Ints(features, $"{name}.zero_shot.llm_prompt_speech_token"), SpeechTokenLimits.ForText(text.Length, null), seed: 0);
        var sampler = new RasSampler(LanguageModels.Config, model.Vocabulary.IgnoreEosMask, model.Vocabulary.IgnoreEosMask);
        var chooser = new MostLikely();
        var sounds = new List<int>();
        while (stream.Ready)
        {
            var logits = model.Forward([new LanguageRow { State = state, Inputs = stream.Pending, Draw = stream.Draw }]).ToArray();
            var token = stream.Accept(sampler.Draw(logits, stream.History, stream.Draw!.Value.IgnoreEos, ref chooser));
            if (token >= 0)
                sounds.Add(token);
        }

        Assert.Equal(run.GetProperty("llm_tokens").GetInt32(), sounds.Count);
        Assert.Equal(Ints(golden, $"{name}.llm_tokens"), sounds);
    }

    private readonly struct MostLikely : IChooser
    {
        public int Choose(ReadOnlySpan<float> weights) => ArgMax(weights);
    }

    /// <summary>The recorded draws as pairs of the number of candidates and the drawn index.</summary>
    private struct RecordedChooser(int[] draws) : IChooser
    {
        public int Used { get; private set; }

        public readonly int Count => draws.Length / 2;

        public int Choose(ReadOnlySpan<float> weights)
        {
            Assert.Equal(draws[2 * Used], weights.Length);
            return draws[2 * Used++ + 1];
        }
    }

    private static float[] Finite(float[] values) => [.. values.Where(float.IsFinite)];

    private static int[] Ints(SafetensorsFile file, string name) => [.. file.Tensors[name].ToInt64s().Select(value => (int)value)];

    private static int ArgMax(ReadOnlySpan<float> values) => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(values);
}
