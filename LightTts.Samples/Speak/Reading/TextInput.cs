using System.Text;

namespace LightTts.Samples.Speak.Reading;

/// <summary>The text to speak, in parts of some pages each, so that a book is never in memory as a whole.</summary>
internal static class TextInput
{
    private const int PartLength = 32_768;

    /// <param name="text">The text itself, or null.</param>
    /// <param name="file">A path, "-" or null for standard input.</param>
    /// <param name="format">How the file is marked up.</param>
    public static IEnumerable<string> Read(string? text, string? file, TextFormat format)
    {
        if (text is not null)
        {
            yield return text;
            yield break;
        }
        if (file is not null && Directory.Exists(file))
            throw new TtsRequestException($"'{file}' is a folder. Name a text file in it.");
        if (file is not (null or "-") && !File.Exists(file))
            throw new TtsRequestException($"There is no file '{file}'.");
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        using var reader = file is null or "-" ? new StreamReader(Console.OpenStandardInput(), strict) : new StreamReader(file, strict);
        var part = new StringBuilder();
        using var lines = TextFormats.Lines(format, reader).GetEnumerator();
        while (Next(lines) is { } line)
        {
            part.AppendLine(line);
            // Parts end where a paragraph does.
            if (part.Length < PartLength && line.Length > 0 || part.Length < PartLength / 4)
                continue;
            if (HasWords(part))
                yield return part.ToString();
            part.Clear();
        }
        if (HasWords(part))
            yield return part.ToString();
    }

    private static string? Next(IEnumerator<string> lines)
    {
        try
        {
            return lines.MoveNext() ? lines.Current : null;
        }
        catch (DecoderFallbackException e)
        {
            throw new TtsRequestException("The text is not UTF-8. Convert it first, for example: iconv -f latin1 -t utf-8 in.txt > out.txt", e);
        }
    }

    private static bool HasWords(StringBuilder part)
    {
        foreach (var chunk in part.GetChunks())
            foreach (var c in chunk.Span)
                if (char.IsLetterOrDigit(c) || char.IsSurrogate(c))
                    return true;
        return false;
    }
}
