using System.Text;

namespace LightTts.Samples.Speak.Reading;

/// <summary>Text in bounded amounts, whatever a file is like.</summary>
internal static class WholeText
{
    /// <summary>A page of markup is understood as a whole, so it has to fit into memory several times over.</summary>
    public const int MaxLength = 16 << 20;

    private const int LongLine = 32_768;

    /// <summary>All of the text.</summary>
    /// <exception cref="TtsRequestException">It is longer than is read as a whole.</exception>
    public static string Read(TextReader reader, string format)
    {
        var text = new StringBuilder();
        var buffer = new char[16_384];
        while (reader.Read(buffer) is var count and > 0)
        {
            text.Append(buffer, 0, count);
            if (text.Length > MaxLength)
                throw new TtsRequestException($"The {format} is longer than {MaxLength:N0} characters, and {format} is read as a whole. "
                    + "Split the file, or read it as it stands, at any length: --format text");
        }
        return text.ToString();
    }

    /// <summary>Lines as they are written; one that never ends comes in parts, cut at blanks.</summary>
    public static IEnumerable<string> Lines(TextReader reader)
    {
        var line = new StringBuilder();
        var afterReturn = false;
        for (var next = reader.Read(); next >= 0; next = reader.Read())
        {
            var c = (char)next;
            var second = c == '\n' && afterReturn;
            afterReturn = c == '\r';
            if (second)
                continue;
            var ends = c is '\n' or '\r' || (line.Length >= LongLine && char.IsWhiteSpace(c));
            if (!ends)
                line.Append(c);
            // Without a blank anywhere it is cut all the same, but not inside a character.
            if (!ends && (line.Length < 2 * LongLine || char.IsHighSurrogate(c)))
                continue;
            yield return line.ToString();
            line.Clear();
        }
        if (line.Length > 0)
            yield return line.ToString();
    }
}
