using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Support;
using LightTts.Text;
using LightTts.Timbres;
using LightTts.Torch;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

/// <summary>The parts put together as the pipeline does it, against what the reference gives from end to end.</summary>
public sealed class EndToEndGoldenTests(ITestOutputHelper output)
{
    private const string GoldenModel = "main/models/cosyvoice3-tiny";

    /// <summary>What the fixtures' zero-shot and cross-lingual runs speak has the prefix's ids in front.</summary>
    private static int[] PrefixIds(QwenTokenizer tokenizer, ModelDirectory model) => tokenizer.Encode(model.InstructionPrefix);

    /// <summary>Tokens that were said greedily (the language model's test holds them to the text) become the reference's audio.</summary>
    [Fact]
    public void Spoken_tokens_become_the_references_audio()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/tts_zero_shot_greedy.safetensors"));
        using var features = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var voice = Flows.Timbre(features, "cv3.zero_shot.flow_prompt_speech_token", "cv3.zero_shot.prompt_speech_feat", "cv3.zero_shot.flow_embedding");
        var tokens = Flows.Ints(golden, "cv3.llm_tokens");
        var samples = Decode(voice, tokens, speed: 1);
        Assert.Equal(960 * tokens.Length, samples.Length);
        Assert.Equal(Repo.Manifest("main/tts_zero_shot_greedy").GetProperty("runs").GetProperty("cv3").GetProperty("samples").GetInt32(), samples.Length);
        var head = golden.Tensors["cv3.wav_head"].ToSingles();
        AssertNear(head, samples.AsSpan(0, head.Length));
    }

    [Fact]
    public void A_changed_speed_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv3.safetensors"));
        var voice = Flows.Timbre(golden, "prompt_token", "prompt_feat", "embedding");
        var samples = Decode(voice, Flows.Ints(golden, "token")[..20], speed: 1.3);
        AssertNear(golden.Tensors["speed_1_3.wav"].ToSingles(), samples);
    }

    [Fact]
    public void A_whole_utterance_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv3.safetensors"));
        var voice = Flows.Timbre(golden, "prompt_token", "prompt_feat", "embedding");
        var samples = Decode(voice, Flows.Ints(golden, "token"), speed: 1);
        AssertNear(golden.Tensors["offline.wav_first_16000"].ToSingles(), samples.AsSpan(0, 16_000));
        AssertNear(golden.Tensors["offline.wav_last_8000"].ToSingles(), samples.AsSpan(^8_000));
    }

    /// <summary>With transcript: the same prompt and the same text.</summary>
    [Fact]
    public void Zero_shot_input_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, model) = Encoder();
        using (encoder)
        {
            var expected = Flows.Ints(golden, "cv3.zero_shot.prompt_text");
            var prefix = PrefixIds(tokenizer, model);
            Assert.Equal(prefix, expected[..prefix.Length]);
            var voice = encoder.ExtractTimbre(AudioClip.FromWavFile(Repo.Golden("main/prompt_44k_stereo.wav")), tokenizer.Decode(expected.AsSpan(prefix.Length)));
            var prompt = encoder.CreatePrompt(voice, instruction: null);
            Assert.Equal(expected, prompt.Text);
            Assert.Equal(prefix.Length, prompt.InstructionLength);
            Assert.Equal(Flows.Ints(golden, "cv3.zero_shot.llm_prompt_speech_token"), prompt.Speech);
            Assert.Equal(Flows.Ints(golden, "cv3.zero_shot.text"), Text(encoder, tokenizer, Flows.Ints(golden, "cv3.zero_shot.text")));
        }
    }

    /// <summary>Without transcript: the reference puts the prefix before the text, here it is the prompt; the language model gets the same ids.</summary>
    [Fact]
    public void Cross_lingual_input_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, model) = Encoder();
        using (encoder)
        {
            var expected = Flows.Ints(golden, "cv3.cross_lingual.text");
            var prefix = PrefixIds(tokenizer, model);
            var prompt = encoder.CreatePrompt(Voice(golden, null), instruction: null);
            Assert.Empty(prompt.Speech);
            Assert.Equal(prompt.Text.Length, prompt.InstructionLength);
            Assert.Equal(expected, prompt.Text.Concat(Text(encoder, tokenizer, expected[prefix.Length..])));
        }
    }

    /// <summary>Instructed: the instruction takes the transcript's place, and no speech is given.</summary>
    [Fact]
    public void Instructed_input_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, _) = Encoder();
        using (encoder)
        {
            const string lead = "You are a helpful assistant. ";
            var expected = Flows.Ints(golden, "cv3.instruct2.prompt_text");
            var said = tokenizer.Decode(expected.AsSpan(..^1));
            output.WriteLine(said);
            Assert.Equal(tokenizer.EndOfPromptId, expected[^1]);
            Assert.StartsWith(lead, said, StringComparison.Ordinal);
            var prompt = encoder.CreatePrompt(Voice(golden, "A transcript that an instruction replaces."), said[lead.Length..]);
            Assert.Equal(expected, prompt.Text);
            Assert.Equal(expected.Length, prompt.InstructionLength);
            Assert.Empty(prompt.Speech);
            Assert.Equal(Flows.Ints(golden, "cv3.instruct2.text"), Text(encoder, tokenizer, Flows.Ints(golden, "cv3.instruct2.text")));
        }
    }

    /// <summary>What spk2info.pt keeps of a preset is what the reference spoke from.</summary>
    [Theory]
    [InlineData("ref_0_slt", "slt")]
    [InlineData("ref_1_rms", "rms")]
    [InlineData("ref_2_us", "us")]
    public void Presets_hold_the_references_features(string reference, string voice)
    {
        using var expected = SafetensorsFile.Open(Repo.Voice($"reference/{reference}.safetensors"));
        var model = ModelDirectory.Open(Repo.TinyEn);
        var preset = model.Voices.Single(candidate => candidate.Name == voice);
        var features = preset.Features!;
        Assert.Equal(Flows.Ints(expected, "prompt_text_token"), preset.PromptTextIds);
        Assert.Equal(Flows.Ints(expected, "prompt_text_token"), QwenTokenizer.Load(model.Files.Tokenizer, 3).Encode(features.PromptText!));
        Assert.Equal(Flows.Ints(expected, "prompt_speech_token"), features.SpeechTokens);
        Assert.Equal(2 * features.SpeechTokens.Length, features.MelFrames);
        Assert.InRange(Vocoders.MaxDifference(expected.Tensors["prompt_speech_feat"].ToSingles(), features.Mel), 0, 1e-4);
        Assert.InRange(Vocoders.MaxDifference(expected.Tensors["embedding"].ToSingles(), features.Embedding), 0, 1e-4);
    }

    private static TimbreFeatures Voice(SafetensorsFile golden, string? transcript) =>
        Flows.Timbre(golden, "cv3.zero_shot.flow_prompt_speech_token", "cv3.zero_shot.prompt_speech_feat", "cv3.zero_shot.flow_embedding") with { PromptText = transcript };

    /// <summary>What the front end makes of the text that some ids stand for.</summary>
    private static int[] Text(CosyVoiceEncoder encoder, QwenTokenizer tokenizer, int[] ids) => Assert.Single(encoder.Prepare(new SynthesisRequest { Text = tokenizer.Decode(ids) })).Tokens;

    private static (CosyVoiceEncoder Encoder, QwenTokenizer Tokenizer, ModelDirectory Model) Encoder()
    {
        var model = ModelDirectory.Open(Repo.Golden(GoldenModel));
        var tokenizer = QwenTokenizer.Load(model.Files.Tokenizer, 3);
        var extractor = TimbreExtractor.Load(model.Files.SpeechTokenizer, model.Files.SpeakerEncoder, model.Config.PromptMel, model.Config.TokenMelRatio, new OnnxOptions { Threads = 1 });
        return (new CosyVoiceEncoder(tokenizer, extractor, model.Config.Version, model.InstructionPrefix, LightTts.Text.TextOptions.Default, new TorchThread(1)), tokenizer, model);
    }

    /// <summary>FlowModel and vocoder of the fixtures' model behind the interface that the pipeline uses.</summary>
    private static float[] Decode(TimbreFeatures voice, int[] tokens, double speed)
    {
        var config = ModelDirectory.Open(Repo.Golden(GoldenModel)).Config;
        using var decoder = new CosyVoiceDecoder(Flows.Golden(), Vocoders.Golden(), config, new TorchThread(Environment.ProcessorCount), lanes: null, maxRows: 1);
        using var thread = decoder.EnterThread();
        using var state = decoder.Start(voice, new DecodeOptions(Streaming: false, FlowSteps: 10, speed));
        var row = new DecodeRow { State = state, Tokens = tokens, Final = true };
        decoder.Decode([row]);
        Assert.Null(row.Error);
        return row.Samples;
    }

    /// <summary>More than 40 dB between signal and difference: tiny differences of the pitch add up in the phase.</summary>
    private void AssertNear(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double signal = 0, noise = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            signal += (double)expected[i] * expected[i];
            noise += Math.Pow((double)expected[i] - actual[i], 2);
        }
        var decibels = 10 * Math.Log10(signal / noise);
        output.WriteLine($"signal to difference {decibels:0.0} dB, largest difference {Vocoders.MaxDifference(expected, actual):E1}");
        Assert.True(decibels > 40, $"signal to difference {decibels:0.0} dB");
    }
}
