using LightTts.Text;

namespace LightTts.Models.CosyVoice;

/// <summary>Streamed text into token ids: normalised and encoded at places that later
/// text cannot change, closed into utterances at sentence ends.</summary>
internal sealed class TextFeed(QwenTokenizer tokenizer, TextOptions options) : ITextFeed
{
    /// <summary>An utterance is closed at the first sentence end after so many letters (a
    /// Chinese character counts as four): about ten seconds of speech.</summary>
    private const int UtteranceLength = 240;

    private readonly StreamingNormalizer? _normalizer = StreamingNormalizer.IsNeeded(options) ? new StreamingNormalizer(options) : null;
    private readonly StreamingTokenizer _tokens = new(tokenizer, options.AllowSpecialTokens);
    private readonly LoneLetter _letter = new(options.LetterNames, options.Reading.British);
    private readonly SentenceCase _case = new(options.SentenceCase);
    private string _rest = "";
    private string _untold = "";
    private int _source;
    private int _length;
    private char _ink; // the last character that was neither a blank nor a closing mark

    public IEnumerable<FeedPart> Push(string piece)
    {
        _source += piece.Length;
        return Take(_normalizer is null ? piece : _normalizer.Push(piece), final: false);
    }

    public IEnumerable<FeedPart> Flush()
    {
        foreach (var part in Take(_normalizer?.Flush() ?? "", final: false))
            yield return part;
        if (_length + _rest.Length == 0 || !IsMark(_ink))
            yield break;
        var spoken = TakeText(_rest);
        int[] ids = [.. _tokens.Push(Present(_rest) + EndUtterance()), .. _tokens.Finish()];
        (_rest, _length) = ("", 0);
        yield return new FeedPart(ids, true, _source - (_normalizer?.Waiting ?? 0), spoken);
    }

    public IEnumerable<FeedPart> Finish()
    {
        foreach (var part in Take(_normalizer?.Finish() ?? "", final: true))
            yield return part;
        var end = EndUtterance();
        if (options.FinalPunctuation == true && _length > 0 && !IsMark(_ink))
            end += TextRuns.IsUnspaced(_ink) ? "。" : ".";
        if (_tokens.Push(end) is { Length: > 0 } last)
            yield return new FeedPart(last, false, _source, TakeText(""));
        if (_tokens.Finish() is { Length: > 0 } ids)
            yield return new FeedPart(ids, true, _source, TakeText(""));
    }

    private IEnumerable<FeedPart> Take(string text, bool final)
    {
        _rest += text;
        if (text.AsSpan().TrimEnd(" \t\r\n\"'”’)]»」』）】") is [.., var ink])
            _ink = ink;
        var start = 0;
        for (var i = 0; i < _rest.Length; i++)
        {
            if (_length == 0 && start == i && char.IsWhiteSpace(_rest[i]))
            {
                start = i + 1; // an utterance does not begin with a blank
                continue;
            }
            _length += _rest[i] < 0x2E80 ? 1 : 4;
            if (_length < UtteranceLength || !IsSentenceEnd(i))
                continue;
            var spoken = TakeText(_rest[start..(i + 1)]);
            int[] ids = [.. _tokens.Push(Present(_rest[start..(i + 1)]) + EndUtterance()), .. _tokens.Finish()];
            (start, _length) = (i + 1, 0);
            yield return new FeedPart(ids, true, _source, spoken);
        }
        // A mark at the very end may belong to what comes next ("3.5", "..."): it waits.
        var held = !final && _rest.Length > start && IsMark(_rest[^1]) ? 1 : 0;
        var open = _tokens.Push(Present(_rest[start..^held]));
        _untold += _rest[start..^held];
        _rest = _rest[^held..];
        _length -= held;
        if (open.Length > 0)
            yield return new FeedPart(open, false, _source, TakeText(""));
    }

    private string Present(string text) => _case.Push(_letter.Push(text));

    private string EndUtterance() => _case.Push(_letter.Finish()) + _case.Finish();

    /// <summary>Text whose tokens were held back, and this.</summary>
    private string TakeText(string more)
    {
        var text = _untold + more;
        _untold = "";
        return text;
    }

    private bool IsSentenceEnd(int index) =>
        IsMark(_rest[index]) && (_rest[index] >= 0x3000 || (index + 1 < _rest.Length && char.IsWhiteSpace(_rest[index + 1])));

    private static bool IsMark(char c) => c is '.' or '?' or '!' or '。' or '？' or '！';
}
