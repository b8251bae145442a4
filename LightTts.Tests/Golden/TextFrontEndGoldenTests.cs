using System.Text.Json;
using LightTts.Tests.Support;
using LightTts.Text;

namespace LightTts.Tests.Golden;

public sealed class TextFrontEndGoldenTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void NormalizesAndSplitsAsTheReferenceDoes(int version)
    {
        var tokenizer = QwenTokenizer.Load(Repo.Golden($"main/models/cosyvoice{version}-tiny/CosyVoice-BlankEN"), version);
        foreach (var item in Golden("normalize").EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            Assert.Equal(Strings(item.GetProperty($"cosyvoice{version}_split_true")), ReferenceNormalizer.NormalizeAndSplit(text, s => tokenizer.Encode(s).Length));
            Assert.Equal(item.GetProperty($"cosyvoice{version}_split_false").GetString(), ReferenceNormalizer.Normalize(text));
        }
    }

    [Fact]
    public void WritesNumbersAsTheReferenceDoes()
    {
        foreach (var item in Golden("number_to_words").EnumerateObject())
            Assert.Equal(item.Value.GetString(), EnglishNumbers.Cardinal(item.Name, comma: ","));
        foreach (var item in Golden("spell_out_number").EnumerateObject())
            Assert.Equal(item.Value.GetString(), ReferenceNormalizer.SpellOutNumbers(item.Name));
    }

    [Fact]
    public void TreatsBlanksAndPunctuationAsTheReferenceDoes()
    {
        foreach (var item in Golden("replace_blank").EnumerateObject())
            Assert.Equal(item.Value.GetString(), ReferenceNormalizer.ReplaceBlanks(item.Name));
        foreach (var item in Golden("is_only_punctuation").EnumerateObject())
            Assert.Equal(item.Value.GetBoolean(), ReferenceNormalizer.IsOnlyPunctuation(item.Name));
    }

    [Fact]
    public void SplitsAtCommasAsTheReferenceDoes()
    {
        var pieces = Strings(Golden("split_paragraph_comma"));
        var split = SentenceSplitter.Split(string.Concat(pieces), chinese: true, SentenceSplitter.CountCharacters, commaSplit: true, 20, 10, 5);
        Assert.Equal(pieces, split.Select(piece => piece.Text));
    }

    [Fact]
    public void PiecesKnowWhereTheyComeFrom()
    {
        var text = string.Concat(Enumerable.Repeat("This is a sentence of some length! He said \"stop.\" And so on; ", 12)).TrimEnd(' ', ';');
        var pieces = SentenceSplitter.Split(text, chinese: false, s => s.Length / 3);
        Assert.True(pieces.Count > 3);
        Assert.All(pieces.SkipLast(1), piece => Assert.Equal(text[piece.Source], piece.Text));
        Assert.Equal(text[pieces[^1].Source] + ".", pieces[^1].Text);
    }

    private static JsonElement Golden(string name) =>
        JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/text_frontend.json"))).RootElement.GetProperty(name);

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];
}
