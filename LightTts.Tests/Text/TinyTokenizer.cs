using LightTts.Tests.Support;
using LightTts.Text;

namespace LightTts.Tests.Text;

/// <summary>The embedded voice's tokenizer, loaded once.</summary>
internal static class TinyTokenizer
{
    private static readonly Lazy<QwenTokenizer> s_tokenizer =
        new(() => QwenTokenizer.Load(Path.Combine(Repo.TinyEn, "CosyVoice-BlankEN"), SpecialTokens.Version3));

    public static QwenTokenizer Instance => s_tokenizer.Value;
}
