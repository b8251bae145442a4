using LightTts.Models.CosyVoice.Files;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Files;

/// <summary>The configuration files of the reference's repository (examples/libritts/cosyvoice2/conf and cosyvoice3/conf) are read as they are, and
/// say what the directory of the real sizes says that the other tests use.</summary>
public sealed class RealConfigTests
{
    /// <summary>A folder with cosyvoice2.yaml and cosyvoice3.yaml.</summary>
    private static readonly string? s_folder = Environment.GetEnvironmentVariable("LIGHTTTS_REAL_CONFIGS");

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void The_references_own_file_is_read(int generation)
    {
        Assert.SkipWhen(s_folder is null, "LIGHTTTS_REAL_CONFIGS names no folder with the reference's configuration files");
        var name = $"cosyvoice{generation}.yaml";
        using var folder = new TempFolder();
        FullSizeDirectory.Write(folder.Path, generation);
        var expected = ModelDirectory.Open(folder.Path).Config;
        File.Copy(Path.Combine(s_folder, name), folder[name], overwrite: true);
        var actual = ModelDirectory.Open(folder.Path).Config;
        Assert.Same(expected.Generation, actual.Generation);
        Assert.Equivalent(expected, actual, strict: true);
        Assert.Equal((24_000, 25, 2, 25, 6561), (actual.SampleRate, actual.TokenFrameRate, actual.TokenMelRatio, actual.ChunkTokens,
            actual.Language.SpeechTokens));
    }
}
