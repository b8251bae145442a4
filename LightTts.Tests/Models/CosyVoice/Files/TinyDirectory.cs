using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Files;

/// <summary>A complete CosyVoice3 model directory as far as opening goes; its weights and ONNX files are not looked at.</summary>
internal static class TinyDirectory
{
    public const string Yaml = """
        __set_seed1: !apply:random.seed [1986]
        sample_rate: 24000
        width: 32
        token_frame_rate: 25
        token_mel_ratio: 2
        chunk_size: 25
        llm: !new:cosyvoice.llm.llm.CosyVoice3LM
            llm_input_size: !ref <width>
            llm_output_size: !ref <width>
            speech_token_size: 512
            mix_ratio: [5, 15]
            sampling: !name:cosyvoice.utils.common.ras_sampling
                top_p: 0.8
                top_k: 25
                win_size: 10
                tau_r: 0.1
        flow: !new:cosyvoice.flow.flow.CausalMaskedDiffWithDiT
            input_size: 80
            output_size: 80
            spk_embed_dim: 192
            vocab_size: 512
            token_mel_ratio: !ref <token_mel_ratio>
            pre_lookahead_len: 3
            pre_lookahead_layer: !new:cosyvoice.transformer.upsample_encoder.PreLookaheadLayer
                channels: 40
                pre_lookahead_len: 3
            decoder: !new:cosyvoice.flow.flow_matching.CausalConditionalCFM
                cfm_params: !new:omegaconf.DictConfig
                    content:
                        sigma_min: 1e-06
                        solver: 'euler'
                        t_scheduler: 'cosine'
                        inference_cfg_rate: 0.7
                estimator: !new:cosyvoice.flow.DiT.dit.DiT
                    dim: 48
                    depth: 3
                    heads: 3
                    dim_head: 16
                    ff_mult: 2
                    static_chunk_size: !ref <chunk_size> * <token_mel_ratio>
        hift: !new:cosyvoice.hifigan.generator.CausalHiFTGenerator
            in_channels: 80
            base_channels: 24
            nb_harmonics: 8
            sampling_rate: !ref <sample_rate>
            nsf_alpha: 0.1
            nsf_sigma: 0.003
            nsf_voiced_threshold: 10
            upsample_rates: [8, 5, 3]
            upsample_kernel_sizes: [16, 11, 7]
            istft_params:
                n_fft: 16
                hop_len: 4
            resblock_kernel_sizes: [3, 7, 11]
            resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
            source_resblock_kernel_sizes: [7, 7, 11]
            source_resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
            lrelu_slope: 0.1
            audio_limit: 0.99
            conv_pre_look_right: 4
            f0_predictor: !new:cosyvoice.hifigan.f0_predictor.CausalConvRNNF0Predictor
                num_class: 1
                cond_channels: 20
        feat_extractor: !name:matcha.utils.audio.mel_spectrogram
            n_fft: 1920
            num_mels: 80
            sampling_rate: !ref <sample_rate>
            hop_size: 480
            win_size: 1920
            fmin: 0
            fmax: null
            center: False
        """;

    public const string Qwen = """
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 80,
         "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "vocab_size": 548}
        """;

    public static TempFolder Create()
    {
        var folder = new TempFolder();
        folder.Write("cosyvoice3.yaml", Yaml);
        folder.Write("CosyVoice-BlankEN/config.json", Qwen);
        folder.Write("CosyVoice-BlankEN/vocab.json", """{"a": 0, "b": 547}""");
        foreach (var file in new[] { "CosyVoice-BlankEN/merges.txt", "llm.pt", "flow.pt", "hift.pt", "speech_tokenizer_v3.onnx", "campplus.onnx" })
            folder.Write(file, "x");
        return folder;
    }
}
