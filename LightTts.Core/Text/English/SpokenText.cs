using System.Text;

namespace LightTts.Text.English;

/// <summary>What is read aloud, as it grows: words never touch each other, blanks and marks stand as they should.</summary>
internal sealed class SpokenText(int capacity)
{
    private readonly StringBuilder _text = new(capacity);
    private bool _wordEnds;     // the last thing was said as words: what comes next is another word

    private char Last => _text.Length == 0 ? '\0' : _text[^1];

    /// <summary>Words in place of what was written.</summary>
    public void Say(ReadOnlySpan<char> words)
    {
        if (words.IsEmpty)
            return;
        if (_text.Length > 0 && (char.IsLetterOrDigit(Last) || Last is ',' or '.' or ';' or ':' or '!' or '?' or ')' || _wordEnds) && Last != ' ')
            _text.Append(' ');
        _text.Append(words);
        _wordEnds = true;
    }

    /// <summary>Text as it was written.</summary>
    public void Copy(ReadOnlySpan<char> written)
    {
        if (written.IsEmpty)
            return;
        if (_wordEnds && (char.IsLetterOrDigit(written[0]) || char.IsSurrogate(written[0])))
            _text.Append(' ');
        _wordEnds = false;
        _text.Append(written);
    }

    /// <summary>An ending of the word that was said last: "G P U" + "s".</summary>
    public void Append(ReadOnlySpan<char> ending)
    {
        _text.Append(ending);
        _wordEnds = true;
    }

    /// <summary>A blank, unless there is one; at the start, too.</summary>
    public void Blank()
    {
        _wordEnds = false;
        if (Last != ' ')
            _text.Append(' ');
    }

    /// <summary>A mark that closes what is before: no blank between, and only one comma.</summary>
    public void Mark(char mark, bool touchesNext)
    {
        if (Last == ' ' && !touchesNext && _text.Length > 1)
            _text.Length--;
        if (Last == ',' && mark is ',' or '.' or ';' or ':' or '!' or '?')
            _text.Length--;
        if (mark == ',' && Last is '.' or ';' or ':' or '!' or '?' or '\0' or ' ')
            return;
        _wordEnds = false;
        _text.Append(mark);
    }

    /// <summary>A pause where a bracket or dash was.</summary>
    public void Pause()
    {
        if (Last == ' ')
            _text.Length--;
        _wordEnds = false;
        if (char.IsLetterOrDigit(Last) || Last is '"' or '\'' or ')')
            _text.Append(',');
        if (_text.Length > 0)
            _text.Append(' ');
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
