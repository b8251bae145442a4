namespace LightTts.Tests.Support;

/// <summary>Where the tests find things: the repository, the golden fixtures, the embedded voice.</summary>
internal static class Repo
{
    public static string Root { get; } = FindRoot();

    /// <summary>The embedded voice model.</summary>
    public static string TinyEn => Path.Combine(Root, "models", "lighttts-tiny-en");

    /// <summary>Folder of the golden fixtures: LIGHTTTS_GOLDEN, by default shared/golden beside the repository.</summary>
    public static string GoldenRoot => Environment.GetEnvironmentVariable("LIGHTTTS_GOLDEN") ?? Path.Combine(Root, "..", "shared", "golden");

    /// <summary>Folder of the embedded voice's reference outputs: LIGHTTTS_VOICE, by default shared/voice beside the repository.</summary>
    public static string VoiceRoot => Environment.GetEnvironmentVariable("LIGHTTTS_VOICE") ?? Path.Combine(Root, "..", "shared", "voice");

    /// <summary>The path of a golden file, or a skipped test that says what is missing.</summary>
    public static string Golden(string relative) => Need(Path.Combine(GoldenRoot, relative), "LIGHTTTS_GOLDEN");

    /// <summary>The path of one of the embedded voice's reference files, or a skipped test that says what is missing.</summary>
    public static string Voice(string relative) => Need(Path.Combine(VoiceRoot, relative), "LIGHTTTS_VOICE");

    /// <summary>What the fixtures' manifest says of one fixture.</summary>
    public static System.Text.Json.JsonElement Manifest(string fixture)
    {
        using var manifest = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Golden("manifest.json")));
        return manifest.RootElement.GetProperty("fixtures").GetProperty(fixture).Clone();
    }

    // Where the variable is set, somebody wants these tests to run: a folder that is misspelt or lacks a file must not end in "passed".
    private static string Need(string path, string variable)
    {
        var set = Environment.GetEnvironmentVariable(variable);
        Assert.True(set is null || Path.Exists(path),
            $"{variable} is '{set}', but {path} does not exist. Correct it, or leave it out to skip what needs it.");
        Assert.SkipUnless(Path.Exists(path), $"fixture not found: {Path.GetFileName(path)}; set {variable} to the folder that holds it");
        return path;
    }

    // LIGHTTTS_ROOT: for published tests, which do not lie in the repository.
    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("LIGHTTTS_ROOT") is { Length: > 0 } root)
            return root;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "LightTts.sln")))
                return folder.FullName;
        return Environment.CurrentDirectory;
    }
}
