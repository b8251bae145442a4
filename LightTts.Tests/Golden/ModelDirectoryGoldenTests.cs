using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Tests.Support;

namespace LightTts.Tests.Golden;

public sealed class ModelDirectoryGoldenTests
{
    [Fact]
    public void CosyVoice3IsReadWhole()
    {
        var model = ModelDirectory.Open(Repo.Golden("main/models/cosyvoice3-tiny"));
        Assert.Equal(CosyVoiceGeneration.V3, model.Config.Generation);
        Assert.Equal((24000, 25, 2, 25),
            (model.Config.SampleRate, model.Config.TokenFrameRate, model.Config.TokenMelRatio, model.Config.ChunkTokens));
        var llm = model.Config.Language;
        Assert.Equal((32, 2, 4, 2, 8, 80, 151936, 512),
            (llm.HiddenSize, llm.Layers, llm.Heads, llm.KvHeads, llm.HeadDim, llm.IntermediateSize, llm.TextVocabulary, llm.SpeechTokens));
        Assert.Equal((1e-6, 1e6, 0.8, 25, 10, 0.1, 5, 15),
            (llm.RmsNormEps, llm.RopeTheta, llm.TopP, llm.TopK, llm.RepetitionWindow, llm.RepetitionThreshold, llm.MixText, llm.MixSpeech));
        var flow = model.Config.Flow;
        Assert.Equal((512, 80, 80, 192, 3, 40, 0.7, 50),
            (flow.VocabularySize, flow.InputSize, flow.MelBands, flow.SpeakerEmbedding, flow.PreLookaheadTokens, flow.PreLookaheadChannels,
            flow.CfgRate, flow.ChunkFrames));
        Assert.Equal(new DiTConfig(48, 3, 3, 16, 2), flow.Dit);
        var hift = model.Config.Vocoder;
        Assert.Equal((24000, 80, 24, 8, 0.1, 0.003, 10.0),
            (hift.SampleRate, hift.MelBands, hift.BaseChannels, hift.Harmonics, hift.NsfAlpha, hift.NsfSigma, hift.VoicedThreshold));
        Assert.Equal((16, 4, 0.1, 0.99, 4, 20),
            (hift.IstftSize, hift.IstftHop, hift.LeakyReluSlope, hift.AudioLimit, hift.ConvPreLookRight, hift.F0Channels));
        Assert.Equal([8, 5, 3], hift.UpsampleRates);
        Assert.Equal([16, 11, 7], hift.UpsampleKernels);
        Assert.Equal([7, 7, 11], hift.SourceResBlockKernels);
        Assert.Equal([1, 3, 5], hift.SourceResBlockDilations[2]);
        Assert.Equal(new PromptMelConfig(1920, 80, 24000, 480, 1920, 0, null), model.Config.PromptMel);
        Assert.Equal("You are a helpful assistant.<|endofprompt|>", model.InstructionPrefix);
        Assert.Equal(10, model.FlowSteps);
    }

    [Fact]
    public void CosyVoice2IsReadWhole()
    {
        var model = ModelDirectory.Open(Repo.Golden("main/models/cosyvoice2-tiny"));
        Assert.Equal(CosyVoiceGeneration.V2, model.Config.Generation);
        Assert.Null(model.Config.Flow.Dit);
        Assert.Equal(new ConformerConfig(Dim: 32, Heads: 4, FeedForward: 64, Blocks: 2), model.Config.Flow.Conformer);
        Assert.Equal(new UNetConfig(Channels: 16, Heads: 4, HeadDim: 8, Blocks: 2, MidBlocks: 2), model.Config.Flow.UNet);
        Assert.Equal((400, 32, 32, 0),
            (model.Config.Flow.VocabularySize, model.Config.Flow.InputSize, model.Config.Flow.PreLookaheadChannels,
            model.Config.Vocoder.ConvPreLookRight));
        Assert.Equal(8000.0, model.Config.PromptMel.MaxFrequency);
        Assert.Equal(548, model.Config.Language.TextVocabulary);
        Assert.Equal("", model.InstructionPrefix);
        Assert.EndsWith("speech_tokenizer_v2.onnx", model.Files.SpeechTokenizer, StringComparison.Ordinal);
    }

    /// <summary>The first release's yaml has no chunk_size: its estimator says "!ref &lt;token_frame_rate&gt; * &lt;token_mel_ratio&gt;".</summary>
    [Fact]
    public void TheYamlOfCosyVoice2sFirstReleaseIsRead()
    {
        using var folder = new TempFolder();
        FullSizeDirectory.Write(folder.Path, generation: 2);
        var yaml = File.ReadAllText(folder["cosyvoice2.yaml"]);
        Assert.Contains("!ref <chunk_size>", yaml, StringComparison.Ordinal);
        folder.Write("cosyvoice2.yaml", yaml.Replace("chunk_size: 25", "", StringComparison.Ordinal)
            .Replace("!ref <chunk_size>", "!ref <token_frame_rate>", StringComparison.Ordinal));
        Assert.Equal((25, 50), (ModelDirectory.Open(folder.Path).Config.ChunkTokens, ModelDirectory.Open(folder.Path).Config.Flow.ChunkFrames));
    }

    [Theory]
    [InlineData("cosyvoice3-tiny", "cv3")]
    [InlineData("cosyvoice2-tiny", "cv2")]
    public void PresetsHaveTheirPromptOrTheirEmbeddingOnly(string name, string version)
    {
        using var modes = LightTts.Weights.SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var tokens = Flows.Ints(modes, $"{version}.zero_shot.flow_prompt_speech_token");
        var mel = modes.Tensors[$"{version}.zero_shot.prompt_speech_feat"];
        var model = ModelDirectory.Open(Repo.Golden($"main/models/{name}"));
        Assert.Equal(["spk_a", "my_zero_shot_spk"], model.Voices.Select(voice => voice.Name));
        Assert.Equal("spk_a", model.DefaultVoice);
        var (sft, whole) = (model.Voices[0].Features!, model.Voices[1].Features!);
        Assert.Equal((0, 0, 192), (sft.SpeechTokens.Length, sft.MelFrames, sft.Embedding.Length));
        Assert.Equal(modes.Tensors[$"{version}.sft.flow_embedding"].ToSingles(), sft.Embedding);
        Assert.Equal(tokens, whole.SpeechTokens);
        Assert.Equal(2 * tokens.Length, whole.MelFrames);
        Assert.Equal([1, whole.MelFrames, 80], mel.Shape);
        Assert.Equal(mel.ToSingles(), whole.Mel);
        Assert.Equal(modes.Tensors[$"{version}.zero_shot.flow_embedding"].ToSingles(), whole.Embedding);
        Assert.Equal(Flows.Ints(modes, $"{version}.zero_shot.prompt_text"), model.Voices[1].PromptTextIds);
        Assert.Null(model.Voices[1].PromptFile);
    }

    /// <summary>The stored mel is a transposed view: bands along the larger stride.</summary>
    [Fact]
    public void TransposedPresetMelComesOutFrameByFrame()
    {
        using var modes = LightTts.Weights.SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        var mel = modes.Tensors["cv3.zero_shot.prompt_speech_feat"].ToSingles();
        var model = ModelDirectory.Open(Repo.Golden("main/models/cosyvoice3-tiny"));
        Assert.Equal(mel, model.Voices[1].Features!.Mel);
    }

    [Fact]
    public void EmbeddedVoiceHasItsPresets()
    {
        var model = ModelDirectory.Open(Repo.TinyEn);
        Assert.Equal(("lighttts-tiny-en", "2", "Apache-2.0", 3, "slt"),
            (model.Name, model.ModelVersion, model.License, model.FlowSteps, model.DefaultVoice));
        Assert.Equal(["en"], model.Languages);
        Assert.Equal(["slt", "rms", "awb", "us", "gb"], model.Voices.Select(voice => voice.Name));
        Assert.All(model.Voices, voice =>
        {
            Assert.True(File.Exists(voice.PromptFile));
            Assert.NotNull(voice.Features);
            Assert.StartsWith(model.InstructionPrefix, voice.Features.PromptText, StringComparison.Ordinal);
            Assert.Equal(2 * voice.Features.SpeechTokens.Length, voice.Features.MelFrames);
            Assert.NotEmpty(voice.PromptTextIds);
        });
        Assert.Equal(0.8, model.Config.Language.RepetitionThreshold);
    }

    [Fact]
    public void FullSizeDirectoryOpensAndItsWeightsAreThere()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the files would not be sparse");
        using var folder = new TempFolder();
        FullSizeDirectory.Write(folder.Path);
        var model = ModelDirectory.Open(folder.Path);
        var (llm, flow) = (model.Config.Language, model.Config.Flow);
        Assert.Equal(new DiTConfig(1024, 22, 16, 64, 2), flow.Dit);
        using var language = ModelFiles.OpenWeights(model.Files.Styles.Single().Path);
        Assert.Equal([llm.TextVocabulary, llm.HiddenSize], language.Tensors["llm.model.model.embed_tokens.weight"].Shape);
        Assert.Equal([llm.IntermediateSize, llm.HiddenSize], language.Tensors[$"llm.model.model.layers.{llm.Layers - 1}.mlp.up_proj.weight"].Shape);
        Assert.Equal([llm.KvHeads * llm.HeadDim, llm.HiddenSize], language.Tensors["llm.model.model.layers.0.self_attn.k_proj.weight"].Shape);
        using var decoder = ModelFiles.OpenWeights(model.Files.Flow);
        Assert.Equal([flow.VocabularySize, flow.InputSize], decoder.Tensors["input_embedding.weight"].Shape);
        Assert.Contains($"decoder.estimator.transformer_blocks.{flow.Dit!.Depth - 1}.attn.to_q.weight", decoder.Tensors.Keys);
        Assert.DoesNotContain($"decoder.estimator.transformer_blocks.{flow.Dit.Depth}.attn.to_q.weight", decoder.Tensors.Keys);
        using var vocoder = ModelFiles.OpenWeights(model.Files.Vocoder);
        Assert.Equal(328, vocoder.Tensors.Count);
    }
}
