namespace LightTts.Text;

/// <summary>What stands near a place in a text, as evidence of its language: blocks of a
/// few hundred characters, the last of them kept, so that a look costs little.</summary>
/// <param name="text">The text.</param>
internal sealed class TextWindow(string text)
{
    private const int Block = 512;
    private const int Margin = 256;

    private int _evidenceOf = -1;
    private int _scriptsOf = -1;
    private LatinLanguage.Evidence _evidence;
    private ScriptCount _scripts;

    /// <summary>Of the languages in Latin letters.</summary>
    public LatinLanguage.Evidence Evidence(int position)
    {
        var block = position / Block;
        if (block != _evidenceOf)
            (_evidenceOf, _evidence) = (block, LatinLanguage.Count(Near(block)));
        return _evidence;
    }

    /// <summary>Of the scripts.</summary>
    public ScriptCount Scripts(int position)
    {
        var block = position / Block;
        if (block != _scriptsOf)
            (_scriptsOf, _scripts) = (block, ScriptCount.Of(Near(block)));
        return _scripts;
    }

    /// <summary>Which language in Latin letters it is, where it is not English.</summary>
    public string? Latin(int position) => Languages.SpokenLanguage.OfLatin(Near(position / Block));

    private ReadOnlySpan<char> Near(int block)
    {
        var start = Math.Max((block * Block) - Margin, 0);
        return text.AsSpan(start, Math.Min(text.Length, ((block + 1) * Block) + Margin) - start);
    }
}
