using System.Text;
using LightTts.Tests.Support;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class QwenTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-tokenizer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("The quick brown fox, isn't it?\n\nYes: 12 of them.")]
    [InlineData("你好，世界！ こんにちは 한국어 🙂 é 𠀀")]
    [InlineData("[breath]a<|endofprompt|>b</strong>")]
    public void DecodeUndoesEncode(string text) => Assert.Equal(text, TinyTokenizer.Instance.Decode(TinyTokenizer.Instance.Encode(text)));

    [Fact]
    public void LoneSurrogatesAndControlsAreEncoded()
    {
        Assert.Equal(TinyTokenizer.Instance.Encode("a\ufffdb\ufffd"), TinyTokenizer.Instance.Encode("a\ud800b\udc00"));
        Assert.Equal("\0\u0001\u007f", TinyTokenizer.Instance.Decode(TinyTokenizer.Instance.Encode("\0\u0001\u007f")));
        Assert.Equal("\ufffd", TinyTokenizer.Instance.Decode([TinyTokenizer.Instance.Encode("é")[0], -1, 999_999]));
    }

    [Fact]
    public void DecomposedTextHasTheIdsOfComposedText() =>
        Assert.Equal(TinyTokenizer.Instance.Encode("café Å 각"), TinyTokenizer.Instance.Encode("cafe\u0301 A\u030a \u1100\u1161\u11a8"));

    [Fact]
    public void AddedTokensAreMatchedBeforeComposition() =>
        Assert.NotEqual(TinyTokenizer.Instance.Encode("[ià]"), TinyTokenizer.Instance.Encode("[ia\u0300]"));

    [Fact(Timeout = 60_000)]
    public async Task MegabytesOfAnythingAreEncoded()
    {
        await Task.Yield();
        var cancellation = TestContext.Current.CancellationToken;
        foreach (var unit in new[] { "a", "[", "<|", "\u0301", "\u0301\u0327", " ", "hello ", "你好" })
        {
            cancellation.ThrowIfCancellationRequested();
            var text = new StringBuilder().Insert(0, unit, 1_000_000 / unit.Length).ToString();
            Assert.NotEmpty(TinyTokenizer.Instance.Encode(text));
        }
    }

    [Fact]
    public void ManyThreadsMayEncodeAtOnce()
    {
        var expected = TinyTokenizer.Instance.Encode("Please call me back tomorrow, it's urgent.");
        Parallel.For(0, 64, _ => Assert.Equal(expected, TinyTokenizer.Instance.Encode("Please call me back tomorrow, it's urgent.")));
    }

    [Theory]
    [InlineData("vocab.json", null)]
    [InlineData("vocab.json", "{")]
    [InlineData("vocab.json", "[]")]
    [InlineData("vocab.json", "{\"a\":0}")]
    [InlineData("vocab.json", "{\"a\":\"b\"}")]
    [InlineData("merges.txt", null)]
    [InlineData("merges.txt", "#version: 0.2\nnoblank\n")]
    [InlineData("merges.txt", "#version: 0.2\nq q\n")]
    [InlineData("tokenizer_config.json", null)]
    [InlineData("tokenizer_config.json", "not json")]
    [InlineData("tokenizer_config.json", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}")]
    [InlineData("tokenizer_config.json", "{\"added_tokens_decoder\":{\"5\":{}}}")]
    public void ADamagedFileIsNamed(string name, string? content)
    {
        foreach (var file in new[] { "vocab.json", "merges.txt", "tokenizer_config.json" })
            File.Copy(Path.Combine(Repo.TinyEn, "CosyVoice-BlankEN", file), Path.Combine(_folder, file));
        Assert.Equal(1539, QwenTokenizer.Load(_folder, SpecialTokens.Version3).EndOfPromptId);
        File.Delete(Path.Combine(_folder, name));
        if (content is not null)
            File.WriteAllText(Path.Combine(_folder, name), content);
        var error = Assert.Throws<TtsModelLoadException>(() => QwenTokenizer.Load(_folder, SpecialTokens.Version3));
        Assert.Contains(name, error.Message);
    }
}
