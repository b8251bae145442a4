namespace LightTts;

/// <summary>How English figures, dates and signs are read.</summary>
public enum EnglishReading
{
    /// <summary>As in the United States: 12/25 is December twenty-fifth, 101 is one hundred one.</summary>
    American,

    /// <summary>As in the United Kingdom: 25/12 is the twenty-fifth of December, 101 is one hundred and one.</summary>
    British,
}
