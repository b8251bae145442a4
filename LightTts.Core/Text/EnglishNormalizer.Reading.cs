namespace LightTts.Text;

internal static partial class EnglishNormalizer
{
    /// <summary>Normalises a part of a text, as the options want it read.</summary>
    public static string Normalize(string text, ReadingOptions reading) => reading is null ? throw new ArgumentNullException(nameof(reading)) : Normalize(text);
}
