using LightTts.Weights;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>Where a model directory's files are.</summary>
/// <param name="Root">The directory, as a full path.</param>
internal sealed record ModelFiles(string Root)
{
    private static readonly byte[] LfsPointer = "version https://git-lfs"u8.ToArray();

    /// <summary>Folder of the Qwen tokenizer and config.json.</summary>
    public string Tokenizer { get; } = Path.Combine(Root, "CosyVoice-BlankEN");

    public string QwenConfig => Path.Combine(Tokenizer, "config.json");

    public string Vocabulary => Path.Combine(Tokenizer, "vocab.json");

    public string Merges => Path.Combine(Tokenizer, "merges.txt");

    /// <summary>The language models, the default first: those of style_config.json, or llm.pt (llm.safetensors where there is no llm.pt).</summary>
    public IReadOnlyList<StyleFile> Styles { get; } = StyleFile.Read(Root, Weights(Root, "llm"));

    /// <summary>Weights of the flow: flow.pt, or flow.safetensors where there is no flow.pt; likewise hift.</summary>
    public string Flow { get; } = Weights(Root, "flow");

    public string Vocoder { get; } = Weights(Root, "hift");

    public string SpeakerEncoder { get; } = Path.Combine(Root, "campplus.onnx");

    public required string Yaml { get; init; }

    public required string SpeechTokenizer { get; init; }

    /// <summary>Finds out which kind of model the directory holds (in the reference's order:
    /// cosyvoice2.yaml, then cosyvoice3.yaml), and that no file is missing.</summary>
    /// <exception cref="TtsModelLoadException">It cannot be read, holds no known model, or lacks files; the message lists all of them.</exception>
    public static (ModelFiles Files, CosyVoiceGeneration Generation) Find(string path)
    {
        var root = Path.GetFullPath(path);
        if (!Directory.Exists(root))
            throw new TtsModelLoadException($"{root}: the model directory does not exist; set the model path to a directory with cosyvoice2.yaml or "
            + $"cosyvoice3.yaml.");
        try
        {
            _ = Directory.EnumerateFileSystemEntries(root).Any();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new TtsModelLoadException($"{root}: the model directory cannot be read; check its permissions.", e);
        }
        foreach (var generation in CosyVoiceGeneration.All)
        {
            var yaml = Path.Combine(root, generation.YamlFile);
            if (!File.Exists(yaml))
                continue;
            var files = new ModelFiles(root) { Yaml = yaml, SpeechTokenizer = Path.Combine(root, generation.SpeechTokenizerFile) };
            files.CheckAll();
            return (files, generation);
        }
        throw new TtsModelLoadException(File.Exists(Path.Combine(root, "cosyvoice.yaml"))
            ? $"{root}: this is a CosyVoice 1 model; CosyVoice2 and CosyVoice3 directories are supported."
            : $"{root}: not a model directory: it has neither cosyvoice2.yaml nor cosyvoice3.yaml.");
    }

    /// <summary>Whether a folder looks like a model of a known kind.</summary>
    public static bool IsKnown(string path) => CosyVoiceGeneration.All.Any(generation => File.Exists(Path.Combine(path, generation.YamlFile)));

    /// <summary>Whether a folder has all files that are needed.</summary>
    public static bool IsComplete(string path)
    {
        try
        {
            Find(path);
            return true;
        }
        catch (TtsModelLoadException)
        {
            return false;
        }
    }

    /// <summary>Opens a file of weights by its extension.</summary>
    public static ITensorArchive OpenWeights(string path) =>
        path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? SafetensorsFile.Open(path) : PyTorchCheckpoint.Open(path);

    /// <summary>The weights of a language model: the file itself, or the one in that directory.</summary>
    public static string LanguageWeights(string path) => Directory.Exists(path) ? Weights(path, "llm") : path;

    private static string Weights(string root, string name)
    {
        var (torch, safetensors) = (Path.Combine(root, name + ".pt"), Path.Combine(root, name + ".safetensors"));
        return !File.Exists(torch) && File.Exists(safetensors) ? safetensors : torch;
    }

    private void CheckAll()
    {
        string[] needed = [QwenConfig, Vocabulary, Merges, .. Styles.Select(style => style.Path), Flow, Vocoder, SpeechTokenizer, SpeakerEncoder];
        var problems = needed.Select(path => (Name: Path.GetRelativePath(Root, path), Problem: Problem(path))).Where(file =>
            file.Problem is not null).ToList();
        if (problems.Count > 0)
            throw new TtsModelLoadException($"{Root}: the model directory is not complete: "
            + $"{string.Join("; ", problems.Select(file => $"{file.Name} {file.Problem}"))}. Download it again.");
    }

    private static string? Problem(string path)
    {
        try
        {
            if (!File.Exists(path))
                return "is missing";
            // Opening a pipe would wait for somebody to write into it; neither pipes nor devices have a length.
            if (new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length == 0)
                return "is empty, or not an ordinary file";
            using var stream = File.OpenRead(path);
            var head = new byte[LfsPointer.Length];
            return stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head.AsSpan().SequenceEqual(LfsPointer)
                ? "is a Git LFS pointer (run 'git lfs pull')"
                : null;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return $"cannot be read ({e.Message})";
        }
    }
}
