namespace LightTts.Models.CosyVoice.Files;

/// <summary>Reads <see cref="CosyVoiceConfig"/> from a model directory's yaml and config.json, and checks that their parts fit each other. Training
/// sections are not looked at.</summary>
internal static class CosyVoiceConfigReader
{
    /// <param name="generation">Whose yaml it is.</param>
    /// <param name="yaml">cosyvoice2.yaml or cosyvoice3.yaml.</param>
    /// <param name="qwen">CosyVoice-BlankEN/config.json.</param>
    /// <exception cref="TtsModelLoadException">A key is missing, wrong, or contradicts another.</exception>
    public static CosyVoiceConfig Read(CosyVoiceGeneration generation, ConfigSection yaml, ConfigSection qwen)
    {
        var config = new CosyVoiceConfig(
            generation,
            SampleRate: yaml.Int("sample_rate", 8000, 192_000),
            TokenFrameRate: yaml.Int("token_frame_rate", 1, 1000),
            TokenMelRatio: yaml.Int("token_mel_ratio", 1, 64),
            ChunkTokens: ChunkTokens(yaml),
            Language(generation, yaml, qwen),
            Flow(generation, yaml.Section("flow")),
            Vocoder(generation, yaml.Section("hift")),
            PromptMel(yaml.Section("feat_extractor")));
        Check(config, yaml);
        return config;
    }

    /// <summary>CosyVoice2's first release named the chunk in the estimator only.</summary>
    private static int ChunkTokens(ConfigSection yaml) => yaml.Has("chunk_size") ? yaml.Int("chunk_size", 1, 10_000)
        : yaml.Section("flow").Section("decoder").Section("estimator").Int("static_chunk_size", 1, 100_000) / yaml.Int("token_mel_ratio", 1, 64);

    private static LanguageModelConfig Language(CosyVoiceGeneration generation, ConfigSection yaml, ConfigSection qwen)
    {
        var llm = yaml.Section("llm");
        NeedClass(yaml, "llm", generation.LanguageClass);
        var sampling = llm.Section("sampling");
        NeedClass(llm, "sampling", "ras_sampling");
        if (llm.Ints("mix_ratio") is not [var mixText, var mixSpeech])
            throw llm.Bad("mix_ratio", "is not a pair");
        // Newer transformers write the base of the rotary embedding into a mapping of its own.
        var rope = qwen.Has("rope_theta") ? qwen : qwen.Has("rope_parameters") ? qwen.Section("rope_parameters") : qwen;
        var language = new LanguageModelConfig
        {
            Rows = generation.LanguageRows,
            HiddenSize = qwen.Int("hidden_size"),
            Layers = qwen.Int("num_hidden_layers", 1, 1000),
            Heads = qwen.Int("num_attention_heads", 1, 1024),
            KvHeads = qwen.Int("num_key_value_heads", 1, 1024),
            IntermediateSize = qwen.Int("intermediate_size"),
            RmsNormEps = qwen.Number("rms_norm_eps", 0, 1),
            RopeTheta = rope.Number("rope_theta", 1, 1e12),
            TextVocabulary = qwen.Int("vocab_size"),
            SpeechTokens = llm.Int("speech_token_size"),
            MixText = mixText,
            MixSpeech = mixSpeech,
            TopP = sampling.Number("top_p", 0, 1),
            TopK = sampling.Int("top_k"),
            RepetitionWindow = sampling.Int("win_size", 0),
            RepetitionThreshold = sampling.Number("tau_r", 0, 1e6),
        };
        if (language.HiddenSize % language.Heads != 0 || language.HeadDim % 2 != 0)
            throw qwen.Bad("num_attention_heads", $"= {language.Heads} does not divide hidden_size = {language.HiddenSize} into even heads");
        if (language.Heads % language.KvHeads != 0)
            throw qwen.Bad("num_key_value_heads", $"= {language.KvHeads} does not divide num_attention_heads = {language.Heads}");
        if (llm.Int("llm_input_size") != language.HiddenSize || llm.Int("llm_output_size") != language.HiddenSize)
            throw llm.Bad("llm_input_size",
            $"or llm_output_size differs from the hidden_size = {language.HiddenSize} of config.json; the two files belong to different models");
        return language;
    }

    private static FlowConfig Flow(CosyVoiceGeneration generation, ConfigSection flow)
    {
        if (flow.ClassName != generation.FlowClass)
            throw flow.Bad("!new", $"is '{flow.ClassName}', which is not the flow of a {generation} model; the yaml belongs to another version");
        var decoder = flow.Section("decoder");
        var solver = decoder.Section("cfm_params").Section("content");
        if (solver.Text("solver") != "euler" || solver.Text("t_scheduler") != "cosine")
            throw solver.Bad("solver", "or t_scheduler is not the supported one (euler, cosine)");
        var estimator = decoder.Section("estimator");
        return generation.ReadFlow(flow, new FlowConfig
        {
            VocabularySize = flow.Int("vocab_size"),
            InputSize = flow.Int("input_size"),
            MelBands = flow.Int("output_size", 1, 4096),
            SpeakerEmbedding = flow.Int("spk_embed_dim"),
            TokenMelRatio = flow.Int("token_mel_ratio", 1, 64),
            PreLookaheadTokens = flow.Int("pre_lookahead_len", 0, 1000),
            CfgRate = solver.Number("inference_cfg_rate", 0, 100),
            ChunkFrames = estimator.Int("static_chunk_size", 1, 100_000),
        });
    }

    /// <summary>A look-ahead layer beside the flow, and a diffusion transformer.</summary>
    public static FlowConfig DiTFlow(ConfigSection flow, FlowConfig common)
    {
        var lookahead = flow.Section("pre_lookahead_layer");
        if (lookahead.Int("pre_lookahead_len", 0, 1000) != common.PreLookaheadTokens)
            throw flow.Bad("pre_lookahead_len", "differs from pre_lookahead_layer's");
        if (common.InputSize != common.MelBands)
            throw flow.Bad("input_size", $"= {common.InputSize} differs from output_size = {common.MelBands}; this flow has one width for both");
        return common with { PreLookaheadChannels = lookahead.Int("channels"), Dit = Dit(flow.Section("decoder").Section("estimator")) };
    }

    /// <summary>A conformer with the look-ahead layer inside it, as wide as that, and a U-Net.</summary>
    public static FlowConfig ConformerFlow(ConfigSection flow, FlowConfig common)
    {
        var (encoder, estimator) = (flow.Section("encoder"), flow.Section("decoder").Section("estimator"));
        foreach (var (section, key, supported) in new[]
        {
            (encoder, "input_layer", "linear"), (encoder, "pos_enc_layer_type", "rel_pos_espnet"),
                (encoder, "selfattention_layer_type", "rel_selfattn"),
            (encoder, "normalize_before", "True"), (encoder, "use_cnn_module", "False"), (encoder, "macaron_style", "False"),
            (estimator, "act_fn", "gelu"),
        })
            if (!section.Text(key).Equals(supported, StringComparison.OrdinalIgnoreCase))
                throw section.Bad(key, $"is '{section.Text(key)}'; only '{supported}' is supported");
        if (common.TokenMelRatio != 2)
            throw flow.Bad("token_mel_ratio", $"= {common.TokenMelRatio}; this encoder gives 2 frames a token");
        if (encoder.Int("input_size") != common.InputSize)
            throw encoder.Bad("input_size", $"differs from the flow's input_size = {common.InputSize}");
        if (estimator.Ints("channels") is not [var channels])
            throw estimator.Bad("channels", "is not a list of one width; others, which change the frames' rate, are not supported");
        if (estimator.Int("in_channels") != 4 * common.MelBands || estimator.Int("out_channels") != common.MelBands)
            throw estimator.Bad("in_channels", $"is not 4 times, or out_channels not, the flow's output_size = {common.MelBands}");
        var conformer = new ConformerConfig(encoder.Int("output_size", 2), encoder.Int("attention_heads", 1, 1024), encoder.Int("linear_units"),
            encoder.Int("num_blocks", 1, 1000));
        if (conformer.Dim % conformer.Heads != 0 || conformer.Dim % 2 != 0)
            throw encoder.Bad("attention_heads", $"= {conformer.Heads} does not divide output_size = {conformer.Dim}, which must be even");
        return common with
        {
            PreLookaheadChannels = conformer.Dim,
            Conformer = conformer,
            UNet = new UNetConfig(channels, estimator.Int("num_heads", 1, 1024), estimator.Int("attention_head_dim", 1, 4096),
                estimator.Int("n_blocks", 1, 1000), estimator.Int("num_mid_blocks", 0, 1000)),
        };
    }

    private static DiTConfig Dit(ConfigSection estimator) => new(
        Dim: estimator.Int("dim"),
        Depth: estimator.Int("depth", 1, 1000),
        Heads: estimator.Int("heads", 1, 1024),
        HeadDim: estimator.Int("dim_head", 2, 4096),
        FeedForwardMultiple: estimator.Int("ff_mult", 1, 64));

    private static VocoderConfig Vocoder(CosyVoiceGeneration generation, ConfigSection hift)
    {
        if (hift.ClassName != generation.VocoderClass)
            throw hift.Bad("!new", $"is '{hift.ClassName}', which is not the vocoder of a {generation} model; the yaml belongs to another version");
        var istft = hift.Section("istft_params");
        var vocoder = new VocoderConfig
        {
            SampleRate = hift.Int("sampling_rate", 8000, 192_000),
            MelBands = hift.Int("in_channels", 1, 4096),
            BaseChannels = hift.Int("base_channels"),
            Harmonics = hift.Int("nb_harmonics", 0, 1000),
            NsfAlpha = hift.Number("nsf_alpha", 0, 1e3),
            NsfSigma = hift.Number("nsf_sigma", 0, 1e3),
            VoicedThreshold = hift.Number("nsf_voiced_threshold", 0, 1e6),
            UpsampleRates = [.. hift.Ints("upsample_rates", 1, 1000)],
            UpsampleKernels = [.. hift.Ints("upsample_kernel_sizes", 1, 1000)],
            IstftSize = istft.Int("n_fft", 2, 65_536),
            IstftHop = istft.Int("hop_len", 1, 65_536),
            ResBlockKernels = [.. hift.Ints("resblock_kernel_sizes", 1, 1000)],
            ResBlockDilations = [.. hift.IntLists("resblock_dilation_sizes", 1, 1000)],
            SourceResBlockKernels = [.. hift.Ints("source_resblock_kernel_sizes", 1, 1000)],
            SourceResBlockDilations = [.. hift.IntLists("source_resblock_dilation_sizes", 1, 1000)],
            LeakyReluSlope = hift.Number("lrelu_slope", 0, 1),
            AudioLimit = hift.Number("audio_limit", 0, 1),
            F0Channels = hift.Section("f0_predictor").Int("cond_channels"),
        };
        if (vocoder.UpsampleKernels.Length != vocoder.UpsampleRates.Length || vocoder.SourceResBlockKernels.Length != vocoder.UpsampleRates.Length)
            throw hift.Bad("upsample_rates", "has another length than upsample_kernel_sizes or source_resblock_kernel_sizes");
        if (vocoder.ResBlockDilations.Length != vocoder.ResBlockKernels.Length
            || vocoder.SourceResBlockDilations.Length != vocoder.SourceResBlockKernels.Length)
            throw hift.Bad("resblock_dilation_sizes", "has another length than the kernel sizes");
        return generation.ReadVocoder(hift, vocoder);
    }

    private static PromptMelConfig PromptMel(ConfigSection features) => new(
        FftSize: features.Int("n_fft", 16, 65_536),
        MelBands: features.Int("num_mels", 1, 4096),
        SampleRate: features.Int("sampling_rate", 8000, 192_000),
        HopSize: features.Int("hop_size", 1, 65_536),
        WindowSize: features.Int("win_size", 1, 65_536),
        MinFrequency: features.Number("fmin", 0, 96_000),
        MaxFrequency: features.Has("fmax") ? features.Number("fmax", 1, 96_000) : null);

    /// <summary>Numbers that occur more than once must agree, or tensors would not fit together at the first request.</summary>
    private static void Check(CosyVoiceConfig config, ConfigSection yaml)
    {
        Same(yaml, "flow.output_size", config.Flow.MelBands, "hift.in_channels", config.Vocoder.MelBands);
        Same(yaml, "flow.output_size", config.Flow.MelBands, "feat_extractor.num_mels", config.PromptMel.MelBands);
        Same(yaml, "sample_rate", config.SampleRate, "hift.sampling_rate", config.Vocoder.SampleRate);
        Same(yaml, "sample_rate", config.SampleRate, "feat_extractor.sampling_rate", config.PromptMel.SampleRate);
        Same(yaml, "token_mel_ratio", config.TokenMelRatio, "flow.token_mel_ratio", config.Flow.TokenMelRatio);
        Same(yaml, "llm.speech_token_size", config.Language.SpeechTokens, "flow.vocab_size", config.Flow.VocabularySize);
        Same(yaml, "chunk_size * token_mel_ratio", (long)config.ChunkTokens * config.TokenMelRatio, "flow.decoder.estimator.static_chunk_size",
            config.Flow.ChunkFrames);
        Same(yaml, "feat_extractor.hop_size * token_mel_ratio * token_frame_rate",
            (long)config.PromptMel.HopSize * config.TokenMelRatio * config.TokenFrameRate, "sample_rate", config.SampleRate);
        Same(yaml, "hift.istft_params.hop_len * product of hift.upsample_rates",
            config.Vocoder.UpsampleRates.Aggregate((double)config.Vocoder.IstftHop, (a, b) => a * b), "feat_extractor.hop_size",
            config.PromptMel.HopSize);
    }

    private static void Same(ConfigSection yaml, string first, double one, string second, double other)
    {
        if (one != other)
            throw yaml.Bad(first, $"= {one} contradicts {second} = {other}");
    }

    private static void NeedClass(ConfigSection parent, string key, string name)
    {
        if (parent.Section(key).ClassName is var found && found != name)
            throw parent.Bad(key, $"is '{found}' where '{name}' is expected; the yaml belongs to another version of the model");
    }
}
