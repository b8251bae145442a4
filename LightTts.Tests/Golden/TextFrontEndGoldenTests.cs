using System.Text.Json;
using LightTts.Tests.Support;
using LightTts.Text;

namespace LightTts.Tests.Golden;

/// <summary>The front end as the product uses it, beside the reference's where no text front end is installed.</summary>
/// <remarks>
/// Meant to differ, and why: figures and signs are read as a reader would ("2025", "007", "10²",
/// decimals, figures in Chinese), where the reference spells runs of digits; in Chinese text a
/// Latin run keeps its full stops, where the reference makes Chinese ones of them ("b.c");
/// commas at the end of English go, where the reference puts a full stop after them ("comma,.");
/// steering tokens are text unless they are allowed; and no piece has more than a hundred
/// tokens, nor a blank at its start. All else is the same, to the character.
/// </remarks>
public sealed class TextFrontEndGoldenTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void PlainTextIsPresentedAsTheReferenceDoes(int version)
    {
        var frontEnd = new TextFrontEnd(QwenTokenizer.Load(Repo.Golden($"main/models/cosyvoice{version}-tiny/CosyVoice-BlankEN"),
            version == 2 ? SpecialTokens.Version2 : SpecialTokens.Version3));
        var (compared, all) = (0, 0);
        foreach (var item in Golden("normalize").EnumerateArray())
        {
            all++;
            var text = item.GetProperty("text").GetString()!;
            var reference = Strings(item.GetProperty($"cosyvoice{version}_split_true")).Select(piece => piece.Trim());
            var ours = frontEnd.Split(text, TextOptions.Default).Select(segment => segment.Text).ToArray();
            if (IsMeantToDiffer(text))
            {
                Assert.NotEmpty(ours);
                continue;
            }
            compared++;
            // Chinese is cut at the same places; English earlier, where the reference goes beyond a hundred tokens.
            if (ReferenceNormalizer.IsChinese(text))
                Assert.Equal(reference, ours);
            else
                Assert.Equal(string.Join(' ', reference), string.Join(' ', ours));
        }
        Assert.True(compared * 2 > all, $"only {compared} of {all} texts were compared");
    }

    [Fact]
    public void BlanksInChineseGoAsInTheReference()
    {
        foreach (var item in Golden("replace_blank").EnumerateObject())
            Assert.Equal(item.Value.GetString(), ReferenceNormalizer.ReplaceBlanks(item.Name));
    }

    [Fact]
    public void WhatIsOnlyPunctuationThereIsNotSpokenHere()
    {
        var frontEnd = new TextFrontEnd(QwenTokenizer.Load(Repo.Golden("main/models/cosyvoice3-tiny/CosyVoice-BlankEN"), SpecialTokens.Version3));
        foreach (var item in Golden("is_only_punctuation").EnumerateObject())
            if (item.Value.GetBoolean())
                Assert.Empty(frontEnd.Split(item.Name, TextOptions.Default));
            else
                Assert.Equal(!string.IsNullOrWhiteSpace(item.Name), frontEnd.Split(item.Name, TextOptions.Default).Any());
    }

    private static bool IsMeantToDiffer(string text) =>
        text.Any(char.IsNumber) || text.Contains("<|", StringComparison.Ordinal) || text.TrimEnd().EndsWith(',')
        || (ReferenceNormalizer.IsChinese(text) && text.Contains('.'));

    private static JsonElement Golden(string name) =>
        JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/text_frontend.json"))).RootElement.GetProperty(name);

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];
}
