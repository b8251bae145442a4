namespace LightTts.Models.CosyVoice.Files;

/// <summary>A language model of a directory: the name by which requests ask for it, and its weights.</summary>
internal sealed record StyleFile(string Name, string Path)
{
    /// <summary>Names the language models of a directory that has several (LightTTS's layout).</summary>
    public const string ConfigFileName = "style_config.json";

    /// <summary>The name of a single one, as the seed system has it.</summary>
    public const string DefaultName = "cosyvoice";

    private const int MaxStyles = 64;

    /// <summary>The language models of a directory, the default first.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="single">Weights of the one where no file names several.</param>
    /// <exception cref="TtsModelLoadException">The file that names them cannot be used.</exception>
    public static IReadOnlyList<StyleFile> Read(string root, string single)
    {
        var path = System.IO.Path.Combine(root, ConfigFileName);
        if (!File.Exists(path))
            return [new StyleFile(DefaultName, single)];
        var config = ConfigFile.Json(path);
        List<StyleFile> styles = [];
        foreach (var item in config.Sections("lora_info"))
        {
            var key = item.Has("llm_path") || !item.Has("gpt_model_path") ? "llm_path" : "gpt_model_path";
            var name = item.QuotedOrNull("style_name") ?? throw item.Bad("style_name", "is missing");
            var file = item.QuotedOrNull(key) ?? throw item.Bad(key, "is missing");
            if (!IsName(name))
                throw item.Bad("style_name", "is not a name of 1 to 64 letters, digits and . _ -");
            if (styles.Exists(style => style.Name == name))
                throw item.Bad("style_name", $"'{name}' is there twice");
            // The seed's files say "./llm.pt" as often as "llm.pt".
            styles.Add(new StyleFile(name, ContainedPath.Resolve(root, file.StartsWith("./", StringComparison.Ordinal) ? file[2..] : file, path)));
        }
        return styles.Count is > 0 and <= MaxStyles ? styles : throw config.Bad("lora_info", $"must name 1 to {MaxStyles} styles");
    }

    /// <summary>Whether a style may be called so.</summary>
    public static bool IsName(string name) => name.Length is >= 1 and <= 64 && name.All(c => char.IsLetterOrDigit(c) || c is '.' or '_' or '-');
}
