namespace LightTts.Samples.Speak.Reading;

/// <summary>How a text file is marked up.</summary>
internal enum TextFormat
{
    Text,
    Markdown,
    Html,
    Subtitles,
}

/// <summary>Finds a format by its name or by a file's.</summary>
internal static class TextFormats
{
    public static readonly string[] Names = ["text", "markdown", "html", "srt", "vtt"];

    public static TextFormat Of(string? name, string? file) => (name ?? Path.GetExtension(file)?.TrimStart('.'))?.ToLowerInvariant() switch
    {
        "md" or "markdown" => TextFormat.Markdown,
        "htm" or "html" or "xhtml" => TextFormat.Html,
        "srt" or "vtt" => TextFormat.Subtitles,
        _ => TextFormat.Text,
    };

    /// <summary>The lines that a person would read aloud; an empty one ends a paragraph.</summary>
    public static IEnumerable<string> Lines(TextFormat format, TextReader reader) => format switch
    {
        TextFormat.Markdown => MarkdownText.Lines(WholeText.Read(reader, "Markdown")),
        TextFormat.Html => HtmlText.Lines(WholeText.Read(reader, "HTML")),
        TextFormat.Subtitles => SubtitleText.Lines(reader),
        _ => WholeText.Lines(reader),
    };

    /// <summary>A heading, a list's item or a table's row as a sentence of its own.</summary>
    public static string Sentence(string text)
    {
        text = text.Trim();
        return text.Length == 0 || char.IsPunctuation(text[^1]) && text[^1] is not (')' or '"' or '\'' or ']') ? text : text + ".";
    }
}
