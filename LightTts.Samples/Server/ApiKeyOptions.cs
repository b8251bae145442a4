using System.Text.RegularExpressions;

namespace LightTts.Samples.Server;

/// <summary>A key that a client may show, and what it allows.</summary>
internal sealed partial class ApiKeyOptions
{
    /// <summary>The names that a key's section may have.</summary>
    public static string[] Names { get; } = [nameof(Name), nameof(Key), nameof(RequestsPerMinute), nameof(MaxConcurrentRequests)];

    /// <summary>Who has it: 1 to 16 small letters and digits. Names of voices are the client's own under it, and the log shows it.</summary>
    public string Name { get; set; } = "";

    /// <summary>The key itself, at least 16 characters.</summary>
    public string Key { get; set; } = "";

    /// <summary>Requests a minute; null for any number.</summary>
    public int? RequestsPerMinute { get; set; }

    /// <summary>Requests at once; null for what every client may have.</summary>
    public int? MaxConcurrentRequests { get; set; }

    /// <exception cref="ArgumentException">Something is missing or out of range.</exception>
    public void Validate()
    {
        if (!NamePattern().IsMatch(Name))
            throw new ArgumentException($"Server:ApiKeys: the name '{Name}' must be 1 to 16 small letters and digits.");
        if (Key.Length < 16)
            throw new ArgumentException($"Server:ApiKeys: the key of '{Name}' has {Key.Length} characters; at least 16 are needed.");
        if (RequestsPerMinute is < 1 || MaxConcurrentRequests is < 1)
            throw new ArgumentException($"Server:ApiKeys: the limits of '{Name}' must be at least 1.");
    }

    [GeneratedRegex("^[a-z0-9]{1,16}$")]
    private static partial Regex NamePattern();
}
