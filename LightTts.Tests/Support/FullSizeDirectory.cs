namespace LightTts.Tests.Support;

/// <summary>Writes a CosyVoice3 directory of the real sizes: the tiny golden one with the
/// real numbers in its configuration, and weights of zeros in sparse
/// files that take no room on disk.</summary>
internal static class FullSizeDirectory
{
    /// <param name="folder">Where to write.</param>
    /// <param name="golden">The golden set's cosyvoice3-tiny; gives yaml, tokenizer and the two ONNX files.</param>
    /// <param name="manifest">fullsize/manifest_cosyvoice3.json.</param>
    public static void Write(string folder, string golden, string manifest)
    {
        Directory.CreateDirectory(Path.Combine(folder, "CosyVoice-BlankEN"));
        foreach (var file in new[] { "campplus.onnx", "speech_tokenizer_v3.onnx", "CosyVoice-BlankEN/vocab.json", "CosyVoice-BlankEN/merges.txt",
            "CosyVoice-BlankEN/tokenizer_config.json" })
            File.Copy(Path.Combine(golden, file), Path.Combine(folder, file));
        Rewrite(Path.Combine(golden, "cosyvoice3.yaml"), Path.Combine(folder, "cosyvoice3.yaml"),
            ("llm_input_size: 32", "llm_input_size: 896"), ("llm_output_size: 32", "llm_output_size: 896"),
            ("speech_token_size: 512", "speech_token_size: 6561"),
            ("vocab_size: 512", "vocab_size: 6561"), ("channels: 40", "channels: 1024"), (" dim: 48", " dim: 1024"), ("depth: 3", "depth: 22"),
            ("heads: 3", "heads: 16"), ("dim_head: 16", "dim_head: 64"), ("base_channels: 24", "base_channels: 512"),
            ("cond_channels: 20", "cond_channels: 512"));
        Rewrite(Path.Combine(golden, "CosyVoice-BlankEN/config.json"), Path.Combine(folder, "CosyVoice-BlankEN/config.json"),
            ("\"hidden_size\": 32", "\"hidden_size\": 896"), ("\"intermediate_size\": 80", "\"intermediate_size\": 4864"),
            ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 24"),
            ("\"num_attention_heads\": 4", "\"num_attention_heads\": 14"));
        foreach (var file in new[] { "llm.pt", "flow.pt", "hift.pt" })
            TorchZipWriter.Write(Path.Combine(folder, file), FullSizeManifest.Read(manifest, file));
    }

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
