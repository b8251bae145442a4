using System.Text.RegularExpressions;

namespace LightTts.Text.Languages;

/// <summary>How the languages' patterns are made.</summary>
internal static class FigurePattern
{
    public static Regex Pattern(string pattern) => new(pattern, RegexOptions.CultureInvariant);

    /// <summary>A pattern for any of some texts, the longest first.</summary>
    public static string Alternatives(IEnumerable<string> texts) =>
        string.Join('|', texts.OrderByDescending(text => text.Length).Select(Regex.Escape));
}
