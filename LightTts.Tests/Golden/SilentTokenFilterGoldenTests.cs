using System.Text.Json;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Pipeline;
using LightTts.Tests.Support;

namespace LightTts.Tests.Golden;

public class SilentTokenFilterGoldenTests
{
    [Fact]
    public void DropsWhatTheReferenceDrops()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/silent_token_filter.json")));
        var silent = LanguageModels.Vocabulary(CosyVoiceGeneration.V3, 6561).SilentTokens;
        Assert.Equal(Ints(golden.RootElement.GetProperty("silent_tokens")), silent.Order());
        Assert.Equal(SilentTokenFilter.MaxRun, golden.RootElement.GetProperty("max_silent_token_num").GetInt32());
        foreach (var test in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var filter = new SilentTokenFilter(silent);
            Assert.Equal(Ints(test.GetProperty("out")), Ints(test.GetProperty("in")).Where(token => filter.Keep(token)).ToArray());
        }
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}
