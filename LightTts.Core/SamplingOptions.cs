namespace LightTts;

/// <summary>How the language model's draws are made: what is left out is as the model directory says.</summary>
/// <remarks>
/// Of the tokens that may come next, the <see cref="TopK"/> likeliest are looked at, and of these as many as together reach
/// <see cref="TopP"/>; one of them is drawn. Where it has come too often among the last ones, another is drawn from all the rest.
/// Immutable.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Above 1 evens the chances out, below 1 it sharpens them.</summary>
    /// <value>0 to 2; 0 takes the likeliest. Default null: 1.</value>
    public double? Temperature { get; init; }

    /// <summary>The chance that the tokens to draw from reach together.</summary>
    /// <value>Above 0, at most 1. Default null: the model's (0.8 in CosyVoice).</value>
    public double? TopP { get; init; }

    /// <summary>The most tokens to draw from.</summary>
    /// <value>1 to 1,000. Default null: the model's (25 in CosyVoice).</value>
    public int? TopK { get; init; }

    /// <summary>How many of the last tokens are looked at for repetitions.</summary>
    /// <value>0 to 100; 0 allows any repetition. Default null: the model's (10 in CosyVoice).</value>
    public int? RepetitionWindow { get; init; }

    /// <summary>The share of the window that a token may not have already when it is drawn again.</summary>
    /// <value>Above 0, at most 1. Default null: the model's (0.1 in CosyVoice: once in ten).</value>
    public double? RepetitionThreshold { get; init; }
}
