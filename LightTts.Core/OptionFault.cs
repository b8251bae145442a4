namespace LightTts;

/// <summary>An option that is out of its range.</summary>
/// <param name="Option">Its name; with a dot where it is one of an option's own options.</param>
/// <param name="Value">What it is.</param>
/// <param name="Cure">What it may be.</param>
public sealed record OptionFault(string Option, object? Value, string Cure);
