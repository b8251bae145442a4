using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class TextFrontEndTests
{
    private readonly TextFrontEnd _frontEnd = new(TinyTokenizer.Instance);

    [Theory]
    [InlineData("")]
    [InlineData("  \r\n\t ")]
    [InlineData("...!?")]
    [InlineData("，。！")]
    [InlineData("🙂 👩\u200d🚀 🙂")]
    [InlineData("\u0000\u0001\u001b")]
    [InlineData("\u0301\u0301\u200b\ufeff")]
    [InlineData("((((((]]]]>>>")]
    public void NothingToSayGivesNothing(string text)
    {
        Assert.Empty(_frontEnd.Split(text));
        Assert.Empty(_frontEnd.Split(text, normalize: false));
    }

    [Fact]
    public void LoneSurrogatesGiveNothing() => Assert.Empty(_frontEnd.Split("\ud800 \udc00\ud83d"));

    [Fact]
    public void AShortTextIsOneSegmentWithItsRange()
    {
        var segment = Assert.Single(_frontEnd.Split("  Dr. Smith has 2 cats \n"));
        Assert.Equal("Doctor Smith has two cats.", segment.Text);
        Assert.Equal(2..22, segment.Source);
        Assert.Equal(TinyTokenizer.Instance.Encode(segment.Text), segment.Tokens);
    }

    [Fact]
    public void VerbatimTextIsNeitherNormalizedNorSplit()
    {
        var text = string.Concat(Enumerable.Repeat("Say 5. ", 100)) + "<|endofprompt|>";
        Assert.Equal(text, Assert.Single(_frontEnd.Split(text)).Text);
    }

    [Fact]
    public void WithoutNormalizingShortTextIsNotTouched()
    {
        Assert.Equal(" it costs $5 ", Assert.Single(_frontEnd.Split(" it costs $5 ", normalize: false)).Text);
        Assert.All(_frontEnd.Split(string.Concat(Enumerable.Repeat("it costs $5. ", 100)), normalize: false), segment => Assert.Contains("$5", segment.Text));
    }

    [Fact]
    public void SegmentsCoverTheTextInOrder()
    {
        var text = string.Concat(Enumerable.Repeat("Mr. Jones paid $3.50 at 5 p.m. on May 1, 2024. \"Really?\" she asked; he nodded.\n\nThen they left! ", 30));
        var end = 0;
        var said = new List<string>();
        foreach (var segment in _frontEnd.Split(text))
        {
            Assert.True(segment.Source.Start.Value >= end);
            Assert.Equal("", text[end..segment.Source.Start.Value].Trim());
            Assert.InRange(segment.Tokens.Length, 20, TextFrontEnd.HardLimit + 2);
            end = segment.Source.End.Value;
            said.Add(segment.Text);
        }
        Assert.True(string.IsNullOrWhiteSpace(text[end..]));
        Assert.StartsWith("Mister Jones paid three dollars and fifty cents at five P M on May first, twenty twenty-four. \"Really?\"", said[0]);
        Assert.True(said.Count > 10);
    }

    [Theory]
    [InlineData("Mr. Fox met Dr. Who. They ate.", 2)]
    [InlineData("He is in the U.S. now. Yes.", 2)]
    [InlineData("Pi is 3.14. E is 2.72!", 2)]
    [InlineData("J. R. R. Tolkien wrote, e.g. The Hobbit.", 1)]
    [InlineData("\"Stop!\" He did.", 2)]
    [InlineData("Wait... what? No. 5 is here.", 2)]
    [InlineData("Title\n\nText here", 2)]
    [InlineData("a line\nthat goes on", 1)]
    [InlineData("Buy:\n- milk\n- eggs", 3)]
    [InlineData("你好！世界。“停下。”走了", 4)]
    public void SentencesEndWhereAReaderPauses(string text, int sentences)
    {
        var count = 0;
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = SentenceScanner.FindEnd(text, start);
            count += string.IsNullOrWhiteSpace(text[start..end]) ? 0 : 1;
        }
        Assert.Equal(sentences, count);
    }

    [Fact]
    public void TheFirstSegmentComesBeforeTheTextIsRead()
    {
        // A book that nobody could hold in tokens: only the beginning is looked at.
        var text = new StringBuilder().Insert(0, "This sentence is one of very many. ", 100_000).ToString();
        Assert.StartsWith("This sentence", _frontEnd.Split(text).First().Text);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("word ", "")]
    [InlineData("a", "")]
    [InlineData("你", "")]
    [InlineData("𠀀", "x")]
    [InlineData("1", "")]
    [InlineData("1,", "")]
    [InlineData("12-", "")]
    [InlineData("$1.", "")]
    [InlineData("1/", "")]
    [InlineData("a.", "")]
    [InlineData("A.", "")]
    [InlineData("a@a.", "")]
    [InlineData("www.", "a")]
    [InlineData("[", "a")]
    [InlineData("(a", "")]
    [InlineData("<a", "")]
    [InlineData("\u0301", "a")]
    [InlineData(" ", "a")]
    [InlineData("\n ", "a")]
    [InlineData("' ", "a")]
    [InlineData("MP3-", "")]
    [InlineData("5 May ", "")]
    public async Task EndlessTextIsSplitIntoSpeakablePieces(string unit, string tail)
    {
        await Task.Yield();
        var text = new StringBuilder().Insert(0, unit, (unit is "word " or "a" ? 100_000 : 20_000) / unit.Length).Append(tail).ToString();
        foreach (var segment in _frontEnd.Split(text))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            Assert.NotEmpty(segment.Tokens);
            // One character may be four tokens; a number's words are many.
            Assert.InRange(segment.Tokens.Length, 1, 450);
            if (unit is "word " or "a")
                Assert.InRange(segment.Tokens.Length, 1, TextFrontEnd.HardLimit + 1);
        }
    }

    [Fact]
    public void AnyGarbageIsTaken()
    {
        var random = new Random(77);
        for (var round = 0; round < 300; round++)
        {
            var text = string.Create(random.Next(1, 300), random, static (span, random) =>
            {
                foreach (ref var c in span)
                    c = random.Next(3) switch { 0 => (char)random.Next(0x10000), 1 => (char)random.Next(128), _ => "0123456789.,:/-$%' \n"[random.Next(20)] };
            });
            foreach (var segment in _frontEnd.Split(text))
                Assert.True(segment.Source.Start.Value < segment.Source.End.Value && segment.Source.End.Value <= text.Length);
        }
    }
}
