namespace LightTts.Text;

/// <summary>Names a letter that is all that an utterance says, where the utterance comes in pieces.</summary>
/// <remarks>Holds what could still be such an utterance: marks and one letter, until a second letter or figure comes, or the end.</remarks>
/// <param name="isWanted">Whether the model wants it; otherwise text passes as it is.</param>
/// <param name="british">Whether the last letter is called "zed".</param>
internal sealed class LoneLetter(bool isWanted, bool british)
{
    private const int LongestHeld = 64;     // a row of marks this long is no letter's frame

    private string _held = "";
    private bool _passed;

    /// <summary>Takes a piece of the utterance and gives what is ready.</summary>
    public string Push(string text)
    {
        if (!isWanted || _passed)
            return text;
        _held += text;
        var inked = 0;
        foreach (var c in _held)
            if (char.IsLetterOrDigit(c) || char.IsSurrogate(c))
                inked++;
        if (inked < 2 && _held.Length < LongestHeld)
            return "";
        (text, _held, _passed) = (_held, "", true);
        return text;
    }

    /// <summary>Ends the utterance and gives the rest of it; the next begins.</summary>
    public string Finish()
    {
        var rest = _passed ? "" : LetterNames.Apply(_held, british);
        (_held, _passed) = ("", false);
        return rest;
    }
}
