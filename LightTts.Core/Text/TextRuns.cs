using System.Text;
using LightTts.Text.Languages;

namespace LightTts.Text;

/// <summary>Cuts text where its language changes and writes each run as it is spoken in its own.</summary>
/// <remarks>
/// <para>A run is text in one script with everything between: figures, signs, marks. Chinese
/// runs are read in Chinese, Latin ones in English where they are English; in German, French, Spanish,
/// Italian, Russian, Japanese and Korean the figures are written out; all others stay as they are written.</para>
/// <para>A figure between two runs belongs to the one that it touches ("3只"), to the
/// Chinese where it touches both ("用MP3听") or a unit follows ("长5km重"), and to the
/// script of most of the text where it touches neither.</para>
/// </remarks>
internal static class TextRuns
{
    /// <summary>Normalises a part of a text, run by run.</summary>
    public static string Normalize(string text, TextOptions options, LanguageContext languages)
    {
        if (Scripts.IsPlainlyLatin(text))
            return Speak(text, text.AsSpan().ContainsAnyInRange('A', 'Z')
            || text.AsSpan().ContainsAnyInRange('a', 'z') ? Script.Latin : Alone(languages), options, languages);
        var runs = Find(text, languages);
        if (runs.Count == 1)
            return Speak(text, runs[0].Script, options, languages);
        var spoken = new StringBuilder(text.Length + (text.Length / 4));
        foreach (var (start, end, script) in runs)
        {
            var words = Speak(text[start..end], script, options, languages);
            if (spoken.Length > 0 && words.Length > 0)
            {
                var blank = char.IsWhiteSpace(words[0]) || spoken[^1] == ' ';
                words = words.TrimStart();
                while (spoken.Length > 0 && spoken[^1] == ' ')
                    spoken.Length--;
                if (blank && words.Length > 0 && spoken.Length > 0 && !IsUnspaced(words[0]) && !IsUnspaced(spoken[^1]))
                    spoken.Append(' ');
            }
            spoken.Append(words);
        }
        return spoken.ToString();
    }

    /// <summary>Whether no blank is wanted beside a character: Chinese, its marks, kana.</summary>
    public static bool IsUnspaced(char c) => Scripts.IsHan(c) || c is (>= '\u3001' and <= '\u30ff') or '，' or '？' or '！' or '；' or '：';

    private static string Speak(string text, Script script, TextOptions options, LanguageContext languages) => script switch
    {
        Script.Latin when languages.LatinIsEnglish => EnglishNormalizer.Normalize(text, options.Reading),
        Script.Han => ChineseNormalizer.Normalize(text),
        _ => AsWritten(languages.OtherLanguage(text, script) is { } code ? SpokenLanguage.Read(code, TextCleaner.Clean(text)) : text),
    };

    /// <summary>Text in a language without rules, or whose figures are written out: only what has no sound is taken out.</summary>
    private static string AsWritten(string text)
    {
        var written = new StringBuilder(text.Length);
        foreach (var c in TextCleaner.Clean(text))
            if (c is not ('*' or '`' or '|' or '\\' or '{' or '}') && !(c == ' ' && written.Length > 0 && written[^1] == ' '))
                written.Append(c);
        return written.ToString();
    }

    /// <summary>What text without any letter belongs to.</summary>
    private static Script Alone(LanguageContext languages) =>
        languages.MainScript is var main && main != Script.None ? Of(main, languages) : Script.Latin;

    private static Script Of(Script script, LanguageContext languages) =>
        script == Script.Kana || (script == Script.Han && !languages.HanIsChinese) ? Script.Other : script;

    private static List<Run> Find(string text, LanguageContext languages)
    {
        // Letters first: runs without what is between them.
        List<Run> letters = [];
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var script = Of(Scripts.Of(rune), languages);
            // A Greek letter or two beside Latin is a sign ("µm", "πr²").
            if (script != Script.None)
            {
                if (letters.Count > 0 && letters[^1].Script == script)
                    letters[^1] = letters[^1] with { End = position + rune.Utf16SequenceLength };
                else
                    letters.Add(new Run(position, position + rune.Utf16SequenceLength, script));
            }
            position += rune.Utf16SequenceLength;
        }
        JoinSigns(text, letters);
        if (letters.Count == 0)
            return [new Run(0, text.Length, Alone(languages))];
        // Then each gets its part of what is between.
        List<Run> runs = [letters[0] with { Start = 0 }];
        foreach (var next in letters.Skip(1))
        {
            var last = runs[^1];
            var script = next.Script == Script.Latin && TakesUnits(text, last) && IsUnit(text, last.End, next) ? last.Script : next.Script;
            if (script == last.Script)
            {
                runs[^1] = last with { End = next.End };
                continue;
            }
            var cut = Cut(text, last, next, languages);
            runs[^1] = last with { End = cut };
            runs.Add(next with { Start = cut });
        }
        runs[^1] = runs[^1] with { End = text.Length };
        return runs;
    }

    /// <summary>Takes lone Greek letters, which are signs in Latin text, for Latin.</summary>
    private static void JoinSigns(string text, List<Run> letters)
    {
        for (var i = 0; i < letters.Count; i++)
            if (letters[i] is { Script: Script.Other } run && run.End - run.Start <= 2 && text[run.Start] is >= '\u0391' and <= '\u03c9'
            && IsLatin(i - 1) | IsLatin(i + 1) | letters.Count == 1)
                letters[i] = run with { Script = Script.Latin };
        var kept = 0;
        for (var i = 0; i < letters.Count; i++)
            if (kept > 0 && letters[kept - 1].Script == letters[i].Script)
                letters[kept - 1] = letters[kept - 1] with { End = letters[i].End };
            else
                letters[kept++] = letters[i];
        letters.RemoveRange(kept, letters.Count - kept);

        bool IsLatin(int index) => index >= 0 && index < letters.Count && letters[index].Script == Script.Latin;
    }

    /// <summary>Whether a run is in a language that has words for units in Latin letters, and in no such letters itself.</summary>
    private static bool TakesUnits(string text, Run run) => run.Script == Script.Han
        || (run.Script == Script.Other && (Scripts.IsHan(text[run.Start]) || SpokenLanguage.OfOther(text.AsSpan(run.Start, run.End - run.Start))
        is "ja" or "ko"));

    /// <summary>Whether Latin letters right after a figure are a unit that Chinese has a word for.</summary>
    private static bool IsUnit(string text, int gap, Run latin)
    {
        var start = latin.Start > gap && text[latin.Start - 1] == '°' ? latin.Start - 1 : latin.Start;
        return start > gap && latin.End - start <= 4 && char.IsDigit(text[start - 1])
            && ChineseNormalizer.IsUnit(text.AsSpan(start, latin.End - start));
    }

    /// <summary>Where, in what is between two runs, the one ends and the other begins.</summary>
    private static int Cut(string text, Run last, Run next, LanguageContext languages)
    {
        var between = text.AsSpan(last.End, next.Start - last.End);
        if (between is ['²' or '³', ..]) // of a unit
            return last.End + 1;
        if (between.IndexOfAnyInRange('0', '9') < 0 && !HasDigit(between))
            return last.End + Opening(between);
        bool left = IsPartOfFigure(between[0]), right = IsPartOfFigure(between[^1]);
        var toNext = left == right ? Prefers(next.Script, last.Script, left, languages) : right;
        if (!toNext)
            return last.End + Opening(between);
        // What stands before the figure and its sign stays with what is before: a comma, a closing bracket.
        var first = 0;
        while (first < between.Length && !IsPartOfFigure(between[first]))
            first++;
        return last.End + Math.Min(first, Opening(between));
    }

    private static bool Prefers(Script next, Script last, bool touchesBoth, LanguageContext languages)
    {
        if (touchesBoth && (next == Script.Han || last == Script.Han))
            return next == Script.Han;
        return Of(languages.MainScript, languages) is var main && next == main && last != main;
    }

    /// <summary>How much of what is between two runs, figures aside, goes with the first:
    /// all but blanks and opening brackets and quotes at the end.</summary>
    private static int Opening(ReadOnlySpan<char> between)
    {
        var end = between.Length;
        while (end > 0 && (char.IsWhiteSpace(between[end - 1])
            || between[end - 1] is '"' or '“' or '‘' or '(' or '（' or '[' or '「' or '『' or '《' or '【' or '#' or '@' or '$' or '€' or '£'))
            end--;
        return end;
    }

    private static bool IsPartOfFigure(char c) => char.IsDigit(c) || char.IsNumber(c)
        || c is '%' or '$' or '€' or '£' or '¥' or '￥' or '°' or '℃' or '+' or '-' or '−' or '#' or '.' or '№' or '第';

    private static bool HasDigit(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (char.IsNumber(c))
                return true;
        return false;
    }

    private readonly record struct Run(int Start, int End, Script Script);
}
