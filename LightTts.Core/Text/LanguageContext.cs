using LightTts.Text.Languages;

namespace LightTts.Text;

/// <summary>In which languages the parts of a sentence are read: what the request says,
/// otherwise what the sentence shows, otherwise what stands near it.</summary>
/// <remarks>Looks only where it is asked: text without figures and the like costs nothing.</remarks>
internal sealed class LanguageContext
{
    private readonly Func<bool> _latinIsEnglish;
    private readonly Func<bool> _hanIsChinese;
    private readonly Func<Script> _mainScript;
    private readonly string? _named;
    private readonly Func<string?> _latin;
    private readonly Func<string?> _other;
    private bool? _english;
    private bool? _chinese;
    private Script? _script;

    private LanguageContext(Func<bool> latinIsEnglish, Func<bool> hanIsChinese, Func<Script> mainScript, string? named, Func<string?> latin,
        Func<string?> other)
    {
        (_named, _latin, _other) = (named, latin, other);
        _latinIsEnglish = latinIsEnglish;
        _hanIsChinese = hanIsChinese;
        _mainScript = mainScript;
    }

    /// <summary>Whether Latin letters are English here; otherwise they stay as they are written.</summary>
    public bool LatinIsEnglish => _english ??= _latinIsEnglish();

    /// <summary>Whether Chinese characters are Chinese here; otherwise they stay as they are written.</summary>
    public bool HanIsChinese => _chinese ??= _hanIsChinese();

    /// <summary>The script that most is written in; figures that stand alone follow it.</summary>
    public Script MainScript => _script ??= _mainScript();

    /// <summary>The language, of those whose figures are written out, of a run that
    /// is neither English nor Chinese; null: it stays as it is.</summary>
    public string? OtherLanguage(string run, Script script)
    {
        var code = script == Script.Latin ? _named ?? _latin() : SpokenLanguage.OfOther(run) ?? _named ?? _other();
        return code is not null && SpokenLanguage.Has(code) ? code : null;
    }

    /// <param name="language">What the request says, a BCP 47 tag or null.</param>
    /// <param name="sentence">The sentence.</param>
    /// <param name="near">Evidence of what stands near it.</param>
    /// <param name="scripts">Scripts of what stands near it.</param>
    /// <param name="nearLatin">Which language in Latin letters stands near it, where it is not English.</param>
    public static LanguageContext Of(string? language, string sentence, Func<LatinLanguage.Evidence> near, Func<ScriptCount> scripts,
        Func<string?> nearLatin)
    {
        if (language is not null)
        {
            var primary = language.Split('-')[0].ToLowerInvariant();
            var chinese = primary is "zh" or "zho" or "cmn" or "yue" or "wuu" or "nan" or "hak";
            var known = chinese || primary is "en" or "eng";
            return new LanguageContext(() => known, () => known, () => chinese ? Script.Han : known ? Script.Latin : Script.Other, primary, ()
                => null,
                () => null);
        }
        return new LanguageContext(
            () => LatinLanguage.Count(sentence) is var evidence && (evidence.IsEnglish is { } english ? english
                : evidence.English > 0 || SpokenLanguage.OfLatin(sentence, least: 3) is null) && (evidence.IsEnglish ?? near().IsEnglish ?? true),
            () => !ScriptCount.Of(sentence).IsJapanese && !scripts().IsJapanese,
            () => ScriptCount.Of(sentence).Main is var main && main != Script.None ? main : scripts().Main,
            null, () => SpokenLanguage.OfLatin(sentence) ?? nearLatin(), () => SpokenLanguage.OfOther(sentence) ?? (scripts().IsJapanese ? "ja"
                : null));
    }

    /// <summary>Of a text that stands for itself.</summary>
    public static LanguageContext Of(string? language, string text) => Of(language, text, static () => default, static () => default, static ()
        => null);
}
