namespace LightTts;

/// <summary>How far the loading of a model has come.</summary>
/// <param name="Step">What was done last, or what takes longer than the rest, for people.</param>
/// <param name="Fraction">How much of all is done, 0 to 1.</param>
public readonly record struct TtsLoadProgress(string Step, double Fraction);
