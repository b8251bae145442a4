namespace LightTts;

/// <summary>A model that has a short name.</summary>
/// <param name="ShortName">What it may be called instead of its whole name.</param>
/// <param name="HuggingFace">Its name there, owner/name.</param>
/// <param name="ModelScope">Its name there, owner/name.</param>
/// <param name="Description">What it is, in a line.</param>
public sealed record KnownModel(string ShortName, string HuggingFace, string ModelScope, string Description);
