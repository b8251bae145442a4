using System.Net;
using System.Text.RegularExpressions;

namespace LightTts.Samples.Speak.Reading;

/// <summary>Subtitles (SRT, WebVTT) in their order, without numbers, times and markup.</summary>
internal static partial class SubtitleText
{
    public static IEnumerable<string> Lines(TextReader reader)
    {
        // Only what stands between a line of times and an empty line is spoken: numbers, names of cues, notes and styles are not.
        var inCue = false;
        foreach (var line in WholeText.Lines(reader))
        {
            if (line.Contains("-->", StringComparison.Ordinal))
                inCue = true;
            else if (string.IsNullOrWhiteSpace(line))
                inCue = false;
            else if (inCue && WebUtility.HtmlDecode(Markup().Replace(line, "")).Trim() is { Length: > 0 } spoken)
                yield return spoken;
        }
    }

    [GeneratedRegex(@"<[^>]*>|\{\\[^}]*\}")]
    private static partial Regex Markup();
}
