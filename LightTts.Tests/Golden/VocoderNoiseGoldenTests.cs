using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

/// <summary>The noise table that the reference draws from its seed, bit by bit.</summary>
public class VocoderNoiseGoldenTests
{
    [Fact]
    public void Table_equals_that_of_a_freshly_loaded_model()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("fullsize/noise_cv3.safetensors"));
        var flow = new FlowConfig
        {
            VocabularySize = 6561,
            InputSize = 80,
            MelBands = 80,
            SpeakerEmbedding = 192,
            TokenMelRatio = 2,
            PreLookaheadTokens = 3,
            PreLookaheadChannels = 1024,
            CfgRate = 0.7,
            ChunkFrames = 50,
            Dit = null,
        };
        var noise = VocoderNoise.OfFreshModel(flow, Vocoders.Config(512, 512));
        var block = new float[7_200_000 * 9 / 100];
        noise.Next(block);
        var first = golden.Tensors["sine_waves_first_1000"].ToSingles();
        Assert.Equal(first, block[..first.Length]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<float>(block));
        for (var i = 1; i < 100; i++)
        {
            noise.Next(block);
            hash.AppendData(MemoryMarshal.AsBytes<float>(block));
        }
        var last = golden.Tensors["sine_waves_last_4"].ToSingles();
        Assert.Equal(last, block[^last.Length..]);
        var expected = Repo.Manifest("fullsize/noise_cv3").GetProperty("check").GetProperty("sha256 sine_waves").GetString();
        Assert.Equal(expected, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
