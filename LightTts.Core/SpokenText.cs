namespace LightTts;

/// <summary>A part of a text as it is spoken.</summary>
public sealed class SpokenText
{
    internal SpokenText(string text, Range source)
    {
        Text = text;
        Source = source;
    }

    /// <summary>What is said, in words: figures, abbreviations and signs written out, pronunciations put in.</summary>
    public string Text { get; }

    /// <summary>The part of the request's text that it comes from, in UTF-16 code units.</summary>
    public Range Source { get; }

    /// <summary>Returns <see cref="Text"/>.</summary>
    public override string ToString() => Text;
}
