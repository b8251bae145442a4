using System.Text;
using System.Text.Json;
using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Support;
using LightTts.Text;
using LightTts.Timbres;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>The parts put together as the pipeline does it, against what the reference gives from end to end.</summary>
public sealed class EndToEndGoldenTests(ITestOutputHelper output)
{
    /// <summary>What the fixtures' zero-shot and cross-lingual runs speak has the prefix's ids in front.</summary>
    private static int[] PrefixIds(QwenTokenizer tokenizer, ModelDirectory directory) => tokenizer.Encode(directory.InstructionPrefix);

    /// <summary>Tokens that were said greedily (the language model's test holds them to the text) become the reference's audio.</summary>
    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void Spoken_tokens_become_the_references_audio(string model)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/tts_zero_shot_greedy.safetensors"));
        using var features = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var voice = Flows.Timbre(features, $"{model}.zero_shot.flow_prompt_speech_token", $"{model}.zero_shot.prompt_speech_feat",
            $"{model}.zero_shot.flow_embedding");
        var tokens = Flows.Ints(golden, $"{model}.llm_tokens");
        var samples = Decode(model, voice, tokens, speed: 1);
        Assert.Equal(960 * tokens.Length, samples.Length);
        Assert.Equal(Repo.Manifest("main/tts_zero_shot_greedy").GetProperty("runs").GetProperty(model).GetProperty("samples").GetInt32(),
            samples.Length);
        var head = golden.Tensors[$"{model}.wav_head"].ToSingles();
        AssertNear(head, samples.AsSpan(0, head.Length));
    }

    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void A_changed_speed_is_the_references(string model)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden($"main/token2wav_{model}.safetensors"));
        var voice = Flows.Timbre(golden, "prompt_token", "prompt_feat", "embedding");
        var samples = Decode(model, voice, Flows.Ints(golden, "token")[..20], speed: 1.3);
        AssertNear(golden.Tensors["speed_1_3.wav"].ToSingles(), samples);
    }

    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void A_whole_utterance_is_the_references(string model)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden($"main/token2wav_{model}.safetensors"));
        var voice = Flows.Timbre(golden, "prompt_token", "prompt_feat", "embedding");
        var samples = Decode(model, voice, Flows.Ints(golden, "token"), speed: 1);
        AssertNear(golden.Tensors["offline.wav_first_16000"].ToSingles(), samples.AsSpan(0, 16_000));
        AssertNear(golden.Tensors["offline.wav_last_8000"].ToSingles(), samples.AsSpan(^8_000));
    }

    /// <summary>
    /// Streamed in the reference's pieces. Its last call drops the chunk mask, ours keeps it,
    /// so all is compared that it gave before. It also holds more frames back, which changes
    /// where a chunk ends and no sample. CosyVoice2's vocoder is given its last 8 frames again,
    /// CosyVoice3's all of them.
    /// </summary>
    [Theory]
    [InlineData("cv3", int.MaxValue)]
    [InlineData("cv2", 8)]
    public void A_streamed_utterance_is_the_references_up_to_its_last_call(string model, int again)
    {
        using var scope = NewDisposeScope();
        using var golden = SafetensorsFile.Open(Repo.Golden($"main/token2wav_{model}.safetensors"));
        var run = Repo.Manifest($"main/token2wav_{model}").GetProperty("runs").GetProperty("stream");
        int[] ends = [.. run.GetProperty("calls").EnumerateArray().Where(call => call.GetProperty("what").GetString() == "flow").Select(call =>
            call.GetProperty("tokens").GetInt32())];
        int[] chunks = [.. run.GetProperty("chunk_samples").EnumerateArray().Select(count => count.GetInt32())];
        var tokens = Flows.Ints(golden, "token");
        var vocoder = new Listening(Vocoder(model));
        using var decoder = Decoder(model, vocoder);
        using var thread = decoder.EnterThread();
        using var state = decoder.Start(Flows.Timbre(golden, "prompt_token", "prompt_feat", "embedding"),
            new DecodeOptions(Streaming: true, FlowSteps: 10, Speed: 1));
        List<float> samples = [];
        for (var (call, at) = (0, 0); call < ends.Length; at = ends[call++])
        {
            var row = new DecodeRow { State = state, Tokens = tokens.AsMemory(at, ends[call] - at), Final = call == ends.Length - 1 };
            decoder.Decode([row]);
            Assert.Null(row.Error);
            samples.AddRange(row.Samples);
            Assert.InRange(samples.Count, chunks[..(call + 1)].Sum(), chunks.Sum());
            if (!row.Final)
            {
                var all = cat(vocoder.Mels, 2);
                var given = Math.Min(all.shape[2], vocoder.Mels[^1].shape[2] + (long)again);
                Flows.Near(Flows.Fixture(golden, $"stream.hift_in_{call}"), all.narrow(2, all.shape[2] - given, given), 1e-4);
            }
        }
        Assert.Equal(tokens.Length, ends[^1]);
        Assert.Equal(chunks.Sum(), samples.Count);
        var before = chunks[..^1].Sum();
        AssertNear(golden.Tensors["stream.wav"].ToSingles().AsSpan(0, before), samples.ToArray().AsSpan(0, before), 45);
        vocoder.Mels.ForEach(mel => mel.Dispose());
    }

    /// <summary>With transcript: the same prompt and the same text.</summary>
    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void Zero_shot_input_is_the_references(string model)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, directory) = Encoder(model);
        using (encoder)
        {
            var expected = Flows.Ints(golden, $"{model}.zero_shot.prompt_text");
            var prefix = PrefixIds(tokenizer, directory);
            Assert.Equal(prefix, expected[..prefix.Length]);
            var voice = encoder.ExtractTimbre(AudioClip.FromWavFile(Repo.Golden("main/prompt_44k_stereo.wav")),
                TextOf(model, expected.AsSpan(prefix.Length)));
            var prompt = encoder.CreatePrompt(voice, new SynthesisRequest());
            Assert.Equal(expected, prompt.Text);
            Assert.Equal(prefix.Length, prompt.InstructionLength);
            Assert.Equal(Flows.Ints(golden, $"{model}.zero_shot.llm_prompt_speech_token"), prompt.Speech);
            Assert.Equal(Flows.Ints(golden, $"{model}.zero_shot.text"), Text(model, encoder, Flows.Ints(golden, $"{model}.zero_shot.text")));
        }
    }

    /// <summary>A transcript without steering tokens is written out as it is spoken, as the reference does; CosyVoice3's always has one.</summary>
    [Theory]
    [InlineData("cv3", true, "I paid $5 on May 3.")]
    [InlineData("cv2", true, "I paid five dollars on May third.")]
    [InlineData("cv2", false, "I paid $5 on May 3.")]
    public void Transcripts_are_normalised_where_the_reference_does(string model, bool normalize, string spoken)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, directory) = Encoder(model);
        using (encoder)
        {
            var prompt = encoder.CreatePrompt(Voice(model, golden, "I paid $5 on May 3."), new SynthesisRequest { NormalizeText = normalize });
            Assert.Equal([.. PrefixIds(tokenizer, directory), .. tokenizer.Encode(spoken)], prompt.Text);
        }
    }

    /// <summary>Without transcript: the reference puts the prefix before the text, here
    /// it is the prompt; the language model gets the same ids.</summary>
    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void Cross_lingual_input_is_the_references(string model)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, directory) = Encoder(model);
        using (encoder)
        {
            var expected = Flows.Ints(golden, $"{model}.cross_lingual.text");
            var prefix = PrefixIds(tokenizer, directory);
            var prompt = encoder.CreatePrompt(Voice(model, golden, null), new SynthesisRequest());
            Assert.Empty(prompt.Speech);
            Assert.Equal(prompt.Text.Length, prompt.InstructionLength);
            Assert.Equal(expected, prompt.Text.Concat(Text(model, encoder, expected[prefix.Length..])));
            // A voice whose transcript is known, asked for in that way.
            var asked = encoder.CreatePrompt(Voice(model, golden, "A transcript."), new SynthesisRequest { Kind = SynthesisKind.CrossLingual });
            Assert.Equal(prompt.Text, asked.Text);
            Assert.Equal(prompt.InstructionLength, asked.InstructionLength);
            Assert.Empty(asked.Speech);
        }
    }

    /// <summary>Instructed: the instruction takes the transcript's place, and no speech is given.</summary>
    [Theory]
    [InlineData("cv3", "You are a helpful assistant. ")]
    [InlineData("cv2", "")]
    public void Instructed_input_is_the_references(string model, string lead)
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var (encoder, tokenizer, _) = Encoder(model);
        using (encoder)
        {
            var expected = Flows.Ints(golden, $"{model}.instruct2.prompt_text");
            var said = TextOf(model, expected.AsSpan(..^1));
            output.WriteLine(said);
            Assert.Equal(tokenizer.EndOfPromptId, expected[^1]);
            Assert.StartsWith(lead, said, StringComparison.Ordinal);
            var prompt = encoder.CreatePrompt(Voice(model, golden, "A transcript that an instruction replaces."),
                new SynthesisRequest { Instruction = said[lead.Length..] });
            Assert.Equal(expected, prompt.Text);
            Assert.Equal(expected.Length, prompt.InstructionLength);
            Assert.Empty(prompt.Speech);
            Assert.Equal(Flows.Ints(golden, $"{model}.instruct2.text"), Text(model, encoder, Flows.Ints(golden, $"{model}.instruct2.text")));
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
        Assert.Equal(Flows.Ints(expected, "prompt_text_token"),
            QwenTokenizer.Load(model.Files.Tokenizer, SpecialTokens.Version3).Encode(features.PromptText!));
        Assert.Equal(Flows.Ints(expected, "prompt_speech_token"), features.SpeechTokens);
        Assert.Equal(2 * features.SpeechTokens.Length, features.MelFrames);
        Assert.InRange(Vocoders.MaxDifference(expected.Tensors["prompt_speech_feat"].ToSingles(), features.Mel), 0, 1e-4);
        Assert.InRange(Vocoders.MaxDifference(expected.Tensors["embedding"].ToSingles(), features.Embedding), 0, 1e-4);
    }

    private static TimbreFeatures Voice(string model, SafetensorsFile golden, string? transcript) =>
        Flows.Timbre(golden, $"{model}.zero_shot.flow_prompt_speech_token", $"{model}.zero_shot.prompt_speech_feat",
        $"{model}.zero_shot.flow_embedding") with { PromptText = transcript };

    /// <summary>What the front end makes of the text that some ids stand for.</summary>
    private static int[] Text(string model, CosyVoiceEncoder encoder, int[] ids) =>
        Assert.Single(encoder.Prepare(new SynthesisRequest { Text = TextOf(model, ids) })).Tokens;

    /// <summary>The text that some ids stand for, straight from the vocabulary and the
    /// fixtures' list of special tokens: not by way of the tokenizer under test.</summary>
    private static string TextOf(string model, ReadOnlySpan<int> ids)
    {
        using var vocabulary = JsonDocument.Parse(File.ReadAllText(Repo.Golden($"{Folder(model)}/CosyVoice-BlankEN/vocab.json")));
        using var tokenizer = JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/tokenizer.json")));
        var plain = vocabulary.RootElement.EnumerateObject().ToDictionary(entry => entry.Value.GetInt32(), entry => entry.Name);
        var special = tokenizer.RootElement.GetProperty($"cosyvoice{model[2]}").GetProperty("special_ids").EnumerateObject().ToDictionary(entry =>
            entry.Value.GetInt32(), entry => entry.Name);
        // Byte-level BPE writes a byte that has no visible Latin-1 character as the next one from 256 on.
        bool Visible(int value) => value is (> 32 and < 127) or (> 160 and < 256 and not 173);
        var hidden = Enumerable.Range(0, 256).Where(value => !Visible(value)).ToArray();
        List<byte> bytes = [];
        foreach (var id in ids)
            if (special.TryGetValue(id, out var name))
                bytes.AddRange(Encoding.UTF8.GetBytes(name));
            else
                bytes.AddRange(plain[id].Select(c => (byte)(c < 256 ? c : hidden[c - 256])));
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static (CosyVoiceEncoder Encoder, QwenTokenizer Tokenizer, ModelDirectory Model) Encoder(string name)
    {
        var model = ModelDirectory.Open(Repo.Golden(Folder(name)));
        var tokenizer = QwenTokenizer.Load(model.Files.Tokenizer, model.Config.Generation.AddedTokens);
        var extractor = TimbreExtractor.Load(model.Files.SpeechTokenizer, model.Files.SpeakerEncoder, model.Config.PromptMel,
            model.Config.TokenMelRatio, new OnnxOptions { Threads = 1 });
        return (new CosyVoiceEncoder(tokenizer, extractor, model.InstructionPrefix, model.Config.Flow.VocabularySize,
            LightTts.Text.TextOptions.Default,
            new TorchThread(1)), tokenizer, model);
    }

    /// <summary>FlowModel and vocoder of the fixtures' model behind the interface that the pipeline uses.</summary>
    private static float[] Decode(string model, TimbreFeatures voice, int[] tokens, double speed)
    {
        using var decoder = Decoder(model, Vocoder(model));
        using var thread = decoder.EnterThread();
        using var state = decoder.Start(voice, new DecodeOptions(Streaming: false, FlowSteps: 10, speed));
        var row = new DecodeRow { State = state, Tokens = tokens, Final = true };
        decoder.Decode([row]);
        Assert.Null(row.Error);
        return row.Samples;
    }

    private static string Folder(string model) => $"main/models/cosyvoice{model[2]}-tiny";

    private static IVocoder Vocoder(string model) => model == "cv3" ? Vocoders.Golden() : Vocoders.Golden2();

    private static CosyVoiceDecoder Decoder(string model, IVocoder vocoder) =>
        new(Flows.Golden(model), vocoder, ModelDirectory.Open(Repo.Golden(Folder(model))).Config, new TorchThread(Environment.ProcessorCount),
        lanes: null,
        maxRows: 1);

    /// <summary>Keeps what the decoder hands to its vocoder.</summary>
    private sealed class Listening(IVocoder vocoder) : IVocoder
    {
        public List<Tensor> Mels { get; } = [];

        public int SamplesPerFrame => vocoder.SamplesPerFrame;

        public int HeldFrames => vocoder.HeldFrames;

        public IVocoderState CreateState(MelPieces pieces = default) => vocoder.CreateState(pieces);

        public IDecodePass Begin(IReadOnlyList<VocoderRow> rows)
        {
            Mels.AddRange(rows.Select(row => row.Mel.clone().DetachFromDisposeScope()));
            return vocoder.Begin(rows);
        }

        public void Dispose() => vocoder.Dispose();
    }

    /// <summary>So many dB between signal and difference, and not a tolerance for each
    /// sample: tiny differences of the pitch add up in the phase.</summary>
    private void AssertNear(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double least = 40)
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
        Assert.True(decibels > least, $"signal to difference {decibels:0.0} dB");
    }
}
