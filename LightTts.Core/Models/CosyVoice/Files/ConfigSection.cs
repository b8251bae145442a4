using System.Globalization;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>A mapping in a configuration file, with typed access that names file and key when something is missing or wrong.</summary>
internal sealed class ConfigSection
{
    private const NumberStyles Float = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
    private const int MaxReferences = 4, MaxFactors = 4;

    private readonly string _file, _path;
    private readonly ConfigMap _map, _root;

    public ConfigSection(string file, ConfigMap map, string path) : this(file, map, path, map) { }

    private ConfigSection(string file, ConfigMap map, string path, ConfigMap root)
    {
        _file = file;
        _map = map;
        _path = path;
        _root = root;
    }

    /// <summary>The last part of the class name in the section's tag ("CosyVoice3LM"); empty where it has none.</summary>
    public string ClassName => _map.Tag is { } tag ? tag[(tag.LastIndexOf('.') + 1)..] : "";

    public bool Has(string key) => _map.Items.TryGetValue(key, out var node) && node is not ConfigScalar { IsNull: true };

    public ConfigSection Section(string key) => Follow(key) as ConfigMap is { } map
        ? new ConfigSection(_file, map, Name(key), _root)
        : throw Bad(key, "is not a mapping");

    /// <summary>A list of mappings.</summary>
    public IReadOnlyList<ConfigSection> Sections(string key) => [.. List(Need(key), key).Select((item, i) => item is ConfigMap map
        ? new ConfigSection(_file, map, $"{Name(key)}[{i}]", _root)
        : throw Bad(key, "is not a list of mappings"))];

    public int Int(string key, int min = 1, int max = 1 << 24) => Int(Need(key), key, min, max);

    public IReadOnlyList<int> Ints(string key, int min = 1, int max = 1 << 24) => Ints(Need(key), key, min, max);

    public IReadOnlyList<int[]> IntLists(string key, int min = 1, int max = 1 << 24) =>
        [.. List(Need(key), key).Select(item => Ints(item, key, min, max))];

    public double Number(string key, double min, double max) => Number(Need(key), key, 0) is var value && value >= min && value <= max
        ? value
        : throw Bad(key, $"is not within {min.ToString(CultureInfo.InvariantCulture)} to {max.ToString(CultureInfo.InvariantCulture)}");

    public string Text(string key) => Need(key) is ConfigScalar { Tag: null, IsNull: false } scalar ? scalar.Text : throw Bad(key, "is not a text");

    public string? TextOrNull(string key) => Has(key) ? Text(key) : null;

    /// <summary>A text of a JSON file, where a number is none; null where there is none.</summary>
    public string? QuotedOrNull(string key) => !Has(key) ? null : Need(key) is ConfigScalar { Quoted: true } scalar ? scalar.Text
        : throw Bad(key, "is not a text: write it in quotes");

    /// <summary>True or false; null where there is neither.</summary>
    public bool? FlagOrNull(string key) => !Has(key) ? null : Need(key) is ConfigScalar { Quoted: false, Tag: null, Text: "true" or "false" } scalar
        ? scalar.Text == "true"
        : throw Bad(key, "is neither true nor false: write one of the two, without quotes");

    /// <summary>A list of texts of a JSON file, where numbers are none.</summary>
    public IReadOnlyList<string> QuotedTexts(string key) => [.. List(Need(key), key).Select(item => item is ConfigScalar { Quoted: true } scalar
        ? scalar.Text
        : throw Bad(key, "is not a list of texts: write each in quotes"))];

    public IReadOnlyList<string> Texts(string key) =>
        [.. List(Need(key), key).Select(item => item is ConfigScalar { Tag: null } scalar ? scalar.Text : throw Bad(key, "is not a list of texts"))];

    /// <summary>An error about one of the section's keys.</summary>
    public TtsModelLoadException Bad(string key, string why) => new($"{_file}: '{Name(key)}' {why}.");

    private ConfigNode Need(string key) => _map.Items.TryGetValue(key, out var node) ? node : throw Bad(key, "is missing");

    private string Name(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private List<ConfigNode> List(ConfigNode node, string key) =>
        node is ConfigList { Items: { Count: <= 10_000 } items } ? items : throw Bad(key, "is not a list (or has more than 10000 items)");

    private int[] Ints(ConfigNode node, string key, int min, int max) => List(node, key) is { Count: > 0 and <= 64 } items
        ? [.. items.Select(item => Int(item, key, min, max))]
        : throw Bad(key, "is not a list of 1 to 64 integers");

    private int Int(ConfigNode node, string key, int min, int max)
    {
        var value = Number(node, key, 0);
        return value == Math.Floor(value) && value >= min && value <= max ? (int)value : throw Bad(key, $"is not an integer from {min} to {max}");
    }

    /// <summary>The node under a key, through "!ref &lt;name&gt;".</summary>
    private ConfigNode Follow(string key)
    {
        var node = Need(key);
        for (var i = 0; node is ConfigScalar { Tag: "!ref" } reference; i++)
            node = i < MaxReferences ? Referenced(reference.Text.Trim(), key) : throw Bad(key, "is a reference to a reference, and so on");
        return node;
    }

    private ConfigNode Referenced(string term, string key) => term.Length > 2 && term[0] == '<' && term[^1] == '>'
        ? _root.Items.GetValueOrDefault(term[1..^1]) ?? throw Bad(key, $"refers to '{term[1..^1]}', which is missing")
        : throw Bad(key, $"has '{term}' where a reference is expected");

    /// <summary>A number: yaml 1.2 notation, or a product of numbers and references ("!ref &lt;chunk_size&gt; * &lt;token_mel_ratio&gt;").</summary>
    private double Number(ConfigNode node, string key, int references)
    {
        if (node is not ConfigScalar { Quoted: false } scalar)
            throw Bad(key, "is not a number");
        if (scalar.Tag != "!ref")
            return scalar.Tag is null && double.TryParse(scalar.Text, Float, CultureInfo.InvariantCulture, out var plain) && double.IsFinite(plain)
            ? plain : throw Bad(key, $"is not a number");
        var factors = scalar.Text.Split('*', StringSplitOptions.TrimEntries);
        // Both limits together bound the work that references to products of references can cause.
        if (references == MaxReferences || factors.Length > MaxFactors)
            throw Bad(key, "refers too far");
        var product = 1.0;
        foreach (var factor in factors)
            product *= double.TryParse(factor, Float, CultureInfo.InvariantCulture, out var number) ? number
            : Number(Referenced(factor, key), key, references + 1);
        return product;
    }
}
