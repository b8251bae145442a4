using LightTts.Text.English;

namespace LightTts.Text;

/// <summary>E-mail and web addresses, file names, hashtags and handles in English words, within text of another language.</summary>
internal static class EnglishAddresses
{
    private static readonly ElectronicClass s_electronic = new();

    /// <summary>Writes them out; all else stays as it is.</summary>
    public static string ExpandNames(string text)
    {
        if (!text.AsSpan().ContainsAny(".#@:/"))
            return text;
        var reading = new Reading(text, ReadingOptions.Default);
        for (var place = 0; place < text.Length;)
        {
            if ((char.IsAsciiLetterOrDigit(text[place]) || text[place] is '#' or '@') && s_electronic.Read(reading, place) is > 0 and var end)
            {
                place = end;
                continue;
            }
            var start = place++;
            // On to where a token may start.
            if (char.IsAsciiLetterOrDigit(text[start]))
                while (place < text.Length && char.IsAsciiLetterOrDigit(text[place]))
                    place++;
            reading.Spoken.Copy(text.AsSpan(start, place - start));
        }
        return reading.Spoken.ToString();
    }
}
