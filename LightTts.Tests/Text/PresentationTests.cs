using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class PresentationTests
{
    private static readonly TextOptions s_wanted = new() { SentenceCase = true, FinalPunctuation = true };

    [Theory]
    [InlineData("hello", "Hello.")]
    [InlineData("hello world.", "Hello world.")]
    [InlineData("and he said: \"hello.\"", "And he said: \"hello.\"")]
    [InlineData("\"hello\"", "\"Hello\".")]
    [InlineData("x", "X.")]
    [InlineData("seven", "Seven.")]
    [InlineData("iPhones sell", "iPhones sell.")]
    [InlineData("éa", "Éa.")]
    [InlineData("[laughter] well", "[laughter] Well.")]
    [InlineData("HELLO", "HELLO.")]
    [InlineData("你好", "你好。")]
    public void AnUtteranceIsPresentedAsTheModelWantsIt(string text, string expected)
    {
        Assert.Equal(expected, Assert.Single(new TextFrontEnd(TinyTokenizer.Instance).Split(text, s_wanted)).Text);
        Assert.Equal(expected, Assert.Single(new TextFrontEnd(TinyTokenizer.Instance).Split(text, s_wanted with { Normalize = false })).Text);
        foreach (var normalize in new[] { true, false })
            for (var length = 1; length < 5; length++)
                Assert.Equal(TinyTokenizer.Instance.Encode(expected, allowSteering: false),
                Feed(text, length, s_wanted with { Normalize = normalize }));
    }

    [Fact]
    public void WhereTheModelDoesNotSayAnUtteranceKeepsItsLetters()
    {
        Assert.Equal("hello.", Assert.Single(new TextFrontEnd(TinyTokenizer.Instance).Split("hello", TextOptions.Default)).Text);
        Assert.Equal("hello",
            Assert.Single(new TextFrontEnd(TinyTokenizer.Instance).Split("hello", TextOptions.Default with { FinalPunctuation = false })).Text);
        Assert.Equal(TinyTokenizer.Instance.Encode("hello"), Feed("hello", 2, TextOptions.Default));
    }

    [Fact]
    public void EachUtteranceOfALongTextIsPresented()
    {
        var text = string.Concat(Enumerable.Repeat("a plain sentence that goes on and on until it has become rather long and then it ends. ", 12));
        Assert.All(new TextFrontEnd(TinyTokenizer.Instance).Split(text, s_wanted), segment => Assert.StartsWith("A plain", segment.Text));
        var feed = new TextFeed(TinyTokenizer.Instance, s_wanted);
        FeedPart[] parts = [.. feed.Push(text), .. feed.Finish()];
        Assert.True(parts.Count(part => part.EndsUtterance) >= 3);
        Assert.Contains("ends.A plain", TinyTokenizer.Instance.Decode([.. parts.SelectMany(part => part.Tokens)]));
    }

    private static List<int> Feed(string text, int length, TextOptions options)
    {
        var feed = new TextFeed(TinyTokenizer.Instance, options);
        List<int> ids = [];
        for (var start = 0; start < text.Length; start += length)
            ids.AddRange(feed.Push(text.Substring(start, Math.Min(length, text.Length - start))).SelectMany(part => part.Tokens));
        ids.AddRange(feed.Finish().SelectMany(part => part.Tokens));
        return ids;
    }

    [Theory]
    [InlineData("F.", "Ef.")]
    [InlineData("\"w\"!", "\"Double you\"!")]
    [InlineData("Z.", "Zee.")]
    [InlineData("A B.", "A B.")]
    [InlineData("é.", "é.")]
    [InlineData("7.", "7.")]
    [InlineData("?", "?")]
    public void A_letter_alone_is_named(string text, string presented) => Assert.Equal(presented, LetterNames.Apply(text, british: false));

    [Theory]
    [InlineData("B", "Bee.")]
    [InlineData("b.", "Bee.")]
    [InlineData("\"w\"!", "\"Double you\"!")]
    [InlineData(" ( Q ) ", "Cue.")]
    [InlineData("B2", "B two.")]
    [InlineData("B C", "B C.")]
    [InlineData("a dog", "A dog.")]
    [InlineData("é", "É.")]
    [InlineData("7", "Seven.")]
    public void A_letter_alone_is_named_whole_and_streamed(string text, string presented)
    {
        var named = s_wanted with { LetterNames = true };
        Assert.Equal(presented, Assert.Single(new TextFrontEnd(TinyTokenizer.Instance).Split(text, named)).Text);
        for (var length = 1; length < 5; length++)
            Assert.Equal(presented, TinyTokenizer.Instance.Decode([.. Feed(text, length, named)]));
    }

    [Fact]
    public void A_letter_alone_is_named_where_its_sentence_is_flushed()
    {
        var feed = new TextFeed(TinyTokenizer.Instance, s_wanted with { LetterNames = true });
        FeedPart[] parts = [.. feed.Push("F. "), .. feed.Flush(), .. feed.Push("A dog. "), .. feed.Finish()];
        Assert.Equal("Ef.A dog. ".TrimEnd(), TinyTokenizer.Instance.Decode([.. parts.SelectMany(part => part.Tokens)]).TrimEnd());
    }

    [Fact]
    public void The_last_letter_has_two_names() => Assert.Equal("Zed.", LetterNames.Apply("z.", british: true));
}
