using LightTts.Models;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Language;

/// <summary>Prompts of lengths around those at which engines change how they work.</summary>
public sealed class PromptLengthTests
{
    private static readonly LanguageModelOptions Options = new(256, new LanguageLimits(4, 2048));

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(129)]
    [InlineData(257)]
    [InlineData(500)]
    public void Engines_agree(int length)
    {
        using var own = LanguageModels.Load("en", torch: false, Options);
        using var plain = LanguageModels.Load("en", torch: true, Options);
        var prompt = Enumerable.Range(1, length).Select(id => id * 7 % 1000).ToArray();
        using var first = own.CreateState();
        using var second = plain.CreateState();
        LanguageModels.Close(LanguageModels.LogProbabilities(plain, second, prompt), LanguageModels.LogProbabilities(own, first, prompt),
            $"prompt of {length}");
    }
}
