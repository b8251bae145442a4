using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Gives an utterance a capital at its start, for models that have seen nothing
/// else: where its first word is all in small letters.</summary>
/// <remarks>Takes the utterance in pieces and holds its first word until that is whole, so that where the pieces were cut changes nothing.</remarks>
/// <param name="isWanted">Whether the model wants it; otherwise text passes as it is.</param>
internal sealed partial class SentenceCase(bool isWanted)
{
    private const int LongestWord = 64;

    private string _held = "";
    private bool _passed;

    /// <summary>Takes a piece of the utterance and gives what is ready.</summary>
    public string Push(string text)
    {
        if (!isWanted || _passed)
            return text;
        _held += text;
        var word = FirstWord().Match(_held);
        if (_held.Length < LongestWord && (!word.Success || word.Index + word.Length == _held.Length))
            return "";
        return Release();
    }

    /// <summary>Ends the utterance and gives the rest of it; the next begins.</summary>
    public string Finish()
    {
        var rest = Release();
        _passed = false;
        return rest;
    }

    /// <summary>A whole utterance.</summary>
    public static string Apply(string text)
    {
        var word = FirstWord().Match(text);
        if (!word.Success || !IsSmall(word.ValueSpan) || !Rune.TryGetRuneAt(text, word.Index, out var first))
            return text;
        return string.Concat(text.AsSpan(0, word.Index), Rune.ToUpperInvariant(first).ToString(),
            text.AsSpan(word.Index + first.Utf16SequenceLength));
    }

    private string Release()
    {
        var text = isWanted && !_passed ? Apply(_held) : _held;
        (_held, _passed) = ("", true);
        return text;
    }

    /// <summary>Whether a word has no capital: "iPhone" and "eBay" are names that are written so.</summary>
    private static bool IsSmall(ReadOnlySpan<char> word)
    {
        foreach (var c in word)
            if (char.IsUpper(c))
                return false;
        return true;
    }

    // Past marks and tags of sounds; of letters whatever their script, a few dozen at most.
    [GeneratedRegex(@"(?<=^(?:\[[^\[\]\s]{1,16}\]|</?[a-z]{1,12}>|[^\p{L}\p{N}\[<]){0,24})\p{L}[\p{L}\p{M}']{0,63}")]
    private static partial Regex FirstWord();
}
