using System.Text.Json.Nodes;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Language.Cpu;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Writes a model directory whose large products are held ready in 8-bit numbers: nothing is left to do when it is loaded but to
/// read it.</summary>
internal static class ModelConverter
{
    /// <param name="directory">What to convert.</param>
    /// <param name="folder">A folder that is there and empty.</param>
    /// <param name="cancellationToken">Ends it; what was written stays.</param>
    /// <exception cref="TtsModelLoadException">A file of the model cannot be used.</exception>
    public static void Convert(ModelDirectory directory, string folder, CancellationToken cancellationToken)
    {
        var (files, config) = (directory.Files, directory.Config);
        var device = TorchDevice.Cpu.With(ComputePrecision.Int8);
        string[] weights = [.. files.Styles.Select(style => style.Path), files.Flow, files.Vocoder];
        CopyOthers(files.Root, folder, weights, cancellationToken);
        using var inference = inference_mode();
        foreach (var style in files.Styles)
            Write(style.Path, record =>
            {
                using var archive = ModelFiles.OpenWeights(style.Path);
                return LanguageWeights.Load(archive, config.Language, device, CpuLanguageEngine.Matrix(device), CpuLanguageEngine.Head, record,
                    mapText: true);
            });
        Write(files.Flow, record =>
        {
            using var archive = ModelFiles.OpenWeights(files.Flow);
            return FlowModel.Load(archive, config.Flow, config.Generation.FlowParts, device, null, record);
        });
        // The vocoder's convolutions stay as they are.
        Write(files.Vocoder, record =>
        {
            using var archive = ModelFiles.OpenWeights(files.Vocoder);
            record.Tensors.UnionWith(archive.Tensors.Keys);
            return new MemoryStream();
        });
        if (File.Exists(Path.Combine(files.Root, StyleFile.ConfigFileName)))
            WriteStyles(files, folder);

        void Write(string source, Func<ProductRecord, IDisposable> load)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var record = new ProductRecord();
            using var model = load(record);
            using var archive = ModelFiles.OpenWeights(source);
            var writer = new SafetensorsWriter();
            foreach (var name in record.Tensors)
                writer.Add(name, archive.Tensors[name]);
            foreach (var (name, product) in record.Products)
                product.Store(name, writer);
            var target = Path.Combine(folder, Converted(files.Root, source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            writer.WriteTo(target, cancellationToken);
        }
    }

    private static string Converted(string root, string path) => Path.ChangeExtension(Path.GetRelativePath(root, path), ".safetensors");

    private static void CopyOthers(string root, string folder, string[] weights, CancellationToken cancellationToken)
    {
        string Name(string path) => Path.GetRelativePath(root, path).Replace('\\', '/');
        var names = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(Name).ToList();
        var skipped = weights.Select(Name).ToHashSet(StringComparer.Ordinal);
        // style_config.json is written anew, for it names the files of weights.
        skipped.Add(StyleFile.ConfigFileName);
        foreach (var name in ModelFileNames.Needed(names, root, ["README*", "LICENSE*"]).Where(name => !skipped.Contains(name)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var target = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            // The file, not the link that it may be in the cache of a hub.
            using var from = File.OpenRead(Path.Combine(root, name));
            using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
            from.CopyTo(to);
        }
    }

    private static void WriteStyles(ModelFiles files, string folder)
    {
        var styles = files.Styles.Select(style => new JsonObject { ["style_name"] = style.Name,
            ["llm_path"] = Converted(files.Root, style.Path).Replace('\\', '/') });
        var json = new JsonObject { ["lora_info"] = new JsonArray([.. styles]) };
        File.WriteAllText(Path.Combine(folder, StyleFile.ConfigFileName), json.ToJsonString());
    }
}
