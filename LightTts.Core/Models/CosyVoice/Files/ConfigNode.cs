namespace LightTts.Models.CosyVoice.Files;

/// <summary>A value of a configuration file (yaml or JSON), as data: tags are names and nothing more.</summary>
/// <param name="Tag">The yaml tag ("!new:cosyvoice.llm.llm.CosyVoice3LM", "!ref"), or null.</param>
internal abstract record ConfigNode(string? Tag);

/// <param name="Text">The value as written, without quotes.</param>
/// <param name="Quoted">Whether it was quoted, and is a string whatever it looks like.</param>
/// <param name="Tag">See <see cref="ConfigNode"/>.</param>
internal sealed record ConfigScalar(string Text, bool Quoted, string? Tag) : ConfigNode(Tag)
{
    public bool IsNull => !Quoted && Tag is null && Text is "" or "~" or "null" or "Null" or "NULL";
}

/// <inheritdoc cref="ConfigNode"/>
internal sealed record ConfigList(List<ConfigNode> Items, string? Tag) : ConfigNode(Tag);

/// <inheritdoc cref="ConfigNode"/>
internal sealed record ConfigMap(Dictionary<string, ConfigNode> Items, string? Tag) : ConfigNode(Tag);
