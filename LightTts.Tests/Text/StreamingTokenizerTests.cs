using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class StreamingTokenizerTests
{
    // Everything that a cut could spoil: contractions, runs of blanks and breaks, marks, pairs, jamo, added tokens and almost-tokens.
    private static readonly string[] s_atoms =
    [
        "hello", "World", "it's", "WE'LL", "'", "'r", " ", "  ", "\n", "\r\n", " \n ", "\t", "1", "2025", "3.14", "...", "!?", " -", "(", "é",
            "e\u0301", "\u0301\u0327",
        "\u0327\u0301", "你好", "，", "。", "𠀀", "🙂", "👩\u200d🚀", "\ud83d", "\ude42", "\u1100\u1161\u11a8", "\u1161", "한국", "カ\u3099", "\u3099",
        "क\u093c", "\u0958", "שׁ",
        "<|endofprompt|>", "<|endof", "<|", "|>", "<", "[", "]", "[AA1]", "[AA", "[i\u0300]", "[ià]", "[breath]", "[brea", "<strong>", "</strong>",
        "</", "\u00a0", "\u3000", "Ⅷ", "²", "\u0f71\u0f72",
    ];

    [Fact]
    public void HoweverTextIsCutItsTokensAreTheSame()
    {
        var random = new Random(20241);
        for (var round = 0; round < 400; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => s_atoms[random.Next(s_atoms.Length)]));
            Assert.Equal(TinyTokenizer.Instance.Encode(text), Stream(text, () => random.Next(0, 7)));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task EndlessRunsOfOneKindAreCutAlike()
    {
        await Task.Yield();
        var cancellation = TestContext.Current.CancellationToken;
        foreach (var unit in new[] { "a", "你", " ", "\n", "!", "\u0301", "𠀀", "1", "'" })
        {
            cancellation.ThrowIfCancellationRequested();
            var text = new StringBuilder().Insert(0, unit, 9000).ToString() + "x";
            Assert.Equal(TinyTokenizer.Instance.Encode(text), Stream(text, () => 7));
        }
    }

    [Fact]
    public void AWordIsGivenAsSoonAsTheNextBegins()
    {
        var stream = new StreamingTokenizer(TinyTokenizer.Instance);
        Assert.Equal(TinyTokenizer.Instance.Encode("Good"), stream.Push("Good morn"));
        Assert.Equal(TinyTokenizer.Instance.Encode(" morning, how"), stream.Push("ing, how a"));
        Assert.Equal(TinyTokenizer.Instance.Encode(" a"), stream.Finish());
        Assert.Empty(stream.Finish());
    }

    private static List<int> Stream(string text, Func<int> length)
    {
        var stream = new StreamingTokenizer(TinyTokenizer.Instance);
        var ids = new List<int>();
        for (var start = 0; start < text.Length;)
        {
            var count = Math.Min(length(), text.Length - start);
            ids.AddRange(stream.Push(text.Substring(start, count)));
            start += count;
        }
        ids.AddRange(stream.Finish());
        return ids;
    }
}
