namespace LightTts.Tests.Support;

/// <summary>Writes a CosyVoice2 or CosyVoice3 directory of the real sizes: the tiny golden one with the
/// real numbers in its configuration, and weights of zeros in sparse
/// files that take no room on disk.</summary>
internal static class FullSizeDirectory
{
    private static readonly (string, string)[] Sizes3 =
    [
        ("speech_token_size: 512", "speech_token_size: 6561"), ("vocab_size: 512", "vocab_size: 6561"), ("channels: 40", "channels: 1024"),
        (" dim: 48", " dim: 1024"), ("depth: 3", "depth: 22"), ("heads: 3", "heads: 16"), ("dim_head: 16", "dim_head: 64"),
    ];

    private static readonly (string, string)[] Sizes2 =
    [
        ("speech_token_size: 400", "speech_token_size: 6561"), ("vocab_size: 400", "vocab_size: 6561"), (" input_size: 32", " input_size: 512"),
        ("    output_size: 32", "    output_size: 512"), ("attention_heads: 4", "attention_heads: 8"), ("linear_units: 64", "linear_units: 2048"),
        ("num_blocks: 2", "num_blocks: 6"), ("channels: [16]", "channels: [256]"), ("attention_head_dim: 8", "attention_head_dim: 64"),
        (" n_blocks: 2", " n_blocks: 4"), ("num_mid_blocks: 2", "num_mid_blocks: 12"), ("num_heads: 4", "num_heads: 8"),
    ];

    /// <param name="folder">Where to write.</param>
    /// <param name="generation">2 or 3.</param>
    public static void Write(string folder, int generation = 3)
    {
        var golden = Repo.Golden($"main/models/cosyvoice{generation}-tiny");
        var manifest = Manifest(generation);
        Directory.CreateDirectory(Path.Combine(folder, "CosyVoice-BlankEN"));
        foreach (var file in new[] { "campplus.onnx", $"speech_tokenizer_v{generation}.onnx", "CosyVoice-BlankEN/vocab.json",
            "CosyVoice-BlankEN/merges.txt",
            "CosyVoice-BlankEN/tokenizer_config.json" })
            File.Copy(Path.Combine(golden, file), Path.Combine(folder, file));
        Rewrite(Path.Combine(golden, $"cosyvoice{generation}.yaml"), Path.Combine(folder, $"cosyvoice{generation}.yaml"),
        [
            ("llm_input_size: 32", "llm_input_size: 896"), ("llm_output_size: 32", "llm_output_size: 896"),
            ("base_channels: 24", "base_channels: 512"), ("cond_channels: 20", "cond_channels: 512"), .. generation == 3 ? Sizes3 : Sizes2,
        ]);
        Rewrite(Path.Combine(golden, "CosyVoice-BlankEN/config.json"), Path.Combine(folder, "CosyVoice-BlankEN/config.json"),
            ("\"hidden_size\": 32", "\"hidden_size\": 896"), ("\"intermediate_size\": 80", "\"intermediate_size\": 4864"),
            ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 24"),
            ("\"num_attention_heads\": 4", "\"num_attention_heads\": 14"),
            ("\"vocab_size\": " + (generation == 3 ? "151936" : "548"), "\"vocab_size\": 151936"));
        foreach (var file in new[] { "llm.pt", "flow.pt", "hift.pt" })
            TorchZipWriter.Write(Path.Combine(folder, file), FullSizeManifest.Read(manifest, file));
    }

    /// <summary>The path of the list of a generation's tensors.</summary>
    public static string Manifest(int generation) => Repo.Golden($"fullsize/manifest_cosyvoice{generation}.json");

    private static void Rewrite(string from, string to, params (string Old, string New)[] changes)
    {
        var text = File.ReadAllText(from);
        foreach (var (old, replacement) in changes)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            text = text.Replace(old, replacement, StringComparison.Ordinal);
        }
        File.WriteAllText(to, text);
    }
}
