using System.Text.Json;
using LightTts.Tests.Support;
using LightTts.Text;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

public sealed class TokenizerGoldenTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void EveryCaseHasTheReferencesIds(int version)
    {
        var tokenizer = Load(version, out var golden);
        foreach (var item in golden.GetProperty("cases").EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            Assert.Equal(Ints(item.GetProperty("ids")), tokenizer.Encode(text));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void EverySpecialTokenHasTheReferencesId(int version)
    {
        var tokenizer = Load(version, out var golden);
        foreach (var item in golden.GetProperty("special_ids").EnumerateObject())
        {
            Assert.Equal([item.Value.GetInt32()], tokenizer.Encode(item.Name));
            Assert.Equal(item.Name, tokenizer.Decode([item.Value.GetInt32()]));
        }
        Assert.Equal(golden.GetProperty("special_ids").EnumerateObject().Max(item => item.Value.GetInt32()) + 1, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void StreamedCharacterByCharacterEveryCaseHasTheSameIds(int version)
    {
        var tokenizer = Load(version, out var golden);
        foreach (var item in golden.GetProperty("cases").EnumerateArray())
        {
            var stream = new StreamingTokenizer(tokenizer);
            var ids = new List<int>();
            foreach (var c in item.GetProperty("text").GetString()!)
                ids.AddRange(stream.Push(c.ToString()));
            ids.AddRange(stream.Finish());
            Assert.Equal(Ints(item.GetProperty("ids")), ids);
        }
    }

    [Theory]
    [InlineData("ref_0_slt")]
    [InlineData("ref_1_rms")]
    [InlineData("ref_2_us")]
    public void TheEmbeddedVoicesTextsHaveTheReferencesIds(string name)
    {
        using var reference = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        var tokenizer = QwenTokenizer.Load(Path.Combine(Repo.TinyEn, "CosyVoice-BlankEN"), SpecialTokens.Version3);
        Assert.Equal(1539, tokenizer.EndOfPromptId);
        Assert.Equal(reference.Tensors["text_token"].ToInt64s(), tokenizer.Encode(reference.Metadata["text"]).Select(id => (long)id));
        Assert.Equal(reference.Tensors["prompt_text_token"].ToInt64s(), tokenizer.Encode(reference.Metadata["prompt_text"]).Select(id => (long)id));
    }

    private static QwenTokenizer Load(int version, out JsonElement golden)
    {
        golden = JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/tokenizer.json"))).RootElement.GetProperty($"cosyvoice{version}");
        return QwenTokenizer.Load(Repo.Golden($"main/models/cosyvoice{version}-tiny/CosyVoice-BlankEN"),
            version == 2 ? SpecialTokens.Version2 : SpecialTokens.Version3);
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}
