using System.Text.Json;
using LightTts.Weights;

namespace LightTts.Tests.Support;

/// <summary>The key, shape and type of every tensor of the real checkpoints.</summary>
internal static class FullSizeManifest
{
    /// <param name="path">manifest_cosyvoice3.json or manifest_cosyvoice2.json.</param>
    /// <param name="file">"llm.pt", "flow.pt" or "hift.pt".</param>
    /// <returns>Tensors without data, for <see cref="TorchZipWriter.Write"/>; lm_head shares the embedding's storage, as in the real file.</returns>
    public static List<TorchTensor> Read(string path, string file)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(path));
        var tensors = manifest.RootElement.GetProperty(file).EnumerateObject().Select(tensor => new TorchTensor(
            tensor.Name,
            [.. tensor.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
            tensor.Value.GetProperty("dtype").GetString() switch
            {
                "float32" => ElementType.Float32,
                "bfloat16" => ElementType.BFloat16,
                "float16" => ElementType.Float16,
                "int64" => ElementType.Int64,
                var other => throw new InvalidOperationException($"dtype {other}"),
            })).ToList();
        const string embedding = "llm.model.model.embed_tokens.weight";
        return [.. tensors.Select(tensor => tensor.Key == "llm.model.lm_head.weight" && tensors.Any(t => t.Key == embedding)
            ? tensor with { SharesWith = embedding } : tensor)];
    }
}
