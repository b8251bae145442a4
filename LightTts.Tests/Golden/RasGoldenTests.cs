using System.Text.Json;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

/// <summary>Sampling decisions of the reference for given log-probabilities, history and random numbers.</summary>
public class RasGoldenTests
{
    [Fact]
    public void DecidesAsTheReference()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/ras.json")));
        using var tensors = SafetensorsFile.Open(Repo.Golden("main/ras.safetensors"));
        var root = golden.RootElement;
        var config = LanguageModels.Config with
        {
            TopP = root.GetProperty("top_p").GetDouble(),
            TopK = root.GetProperty("top_k").GetInt32(),
            RepetitionWindow = root.GetProperty("win_size").GetInt32(),
            RepetitionThreshold = root.GetProperty("tau_r").GetDouble(),
        };
        var resampled = 0;
        foreach (var test in root.GetProperty("cases").EnumerateArray())
        {
            var sampler = new RasSampler(config, 0, 0);
            var logp = tensors.Tensors[$"case{test.GetProperty("case").GetInt32()}.logp"].ToSingles();
            int[] history = [.. test.GetProperty("decoded_tokens").EnumerateArray().Select(item => item.GetInt32())];
            foreach (var path in test.GetProperty("paths").EnumerateArray())
            {
                var chooser = new GivenNumbers([path.GetProperty("u1").GetDouble(), path.GetProperty("u2").GetDouble()]);
                var token = sampler.Draw((float[])logp.Clone(), history, ignoreEos: false, ref chooser);
                Assert.Equal(path.GetProperty("result").GetInt32(), token);
                Assert.Equal(path.GetProperty("nucleus_pick").GetInt32(), sampler.NucleusIds[chooser.First]);
                Assert.Equal(path.GetProperty("resampled").GetBoolean() ? 2 : 1, chooser.Used);
                resampled += chooser.Used - 1;
            }

            Assert.Equal(test.GetProperty("nucleus_ids").EnumerateArray().Select(item => item.GetInt32()), sampler.NucleusIds.ToArray());
            AssertNear([.. test.GetProperty("nucleus_probs").EnumerateArray().Select(item => item.GetDouble())],
                sampler.NucleusProbabilities.ToArray());
        }

        Assert.True(resampled > 5);
    }

    /// <summary>Where the most likely token is drawn and was just said, the second stage draws from the rest of the distribution.</summary>
    [Fact]
    public void SecondStageProbabilitiesAreTheReferences()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Repo.Golden("main/ras.json")));
        using var tensors = SafetensorsFile.Open(Repo.Golden("main/ras.safetensors"));
        var root = golden.RootElement;
        var config = LanguageModels.Config with { TopP = root.GetProperty("top_p").GetDouble(), TopK = root.GetProperty("top_k").GetInt32() };
        foreach (var test in root.GetProperty("cases").EnumerateArray())
        {
            var name = $"case{test.GetProperty("case").GetInt32()}";
            var top = test.GetProperty("nucleus_ids")[0].GetInt32();
            var chooser = new Noting([]);
            new RasSampler(config, 0, 0).Draw(tensors.Tensors[name + ".logp"].ToSingles(), Enumerable.Repeat(top, config.RepetitionWindow).ToArray(),
                ignoreEos: false, ref chooser);
            Assert.Equal(2, chooser.Weights.Count);
            Assert.Equal(0, chooser.Weights[1][top]);
            AssertNear([.. tensors.Tensors[name + ".second_stage_prob_if_top_masked"].ToSingles().Select(value => (double)value)],
                chooser.Weights[1]);
        }
    }

    private static void AssertNear(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    /// <summary>Takes the first of what it is offered and keeps the weights.</summary>
    private readonly record struct Noting(List<float[]> Weights) : IChooser
    {
        public int Choose(ReadOnlySpan<float> weights)
        {
            Weights.Add(weights.ToArray());
            return 0;
        }
    }

    private struct GivenNumbers(double[] numbers) : IChooser
    {
        public int Used { get; private set; }

        public int First { get; private set; }

        public int Choose(ReadOnlySpan<float> weights)
        {
            var index = PhiloxChooser.InverseCdf(weights, numbers[Used]);
            if (Used++ == 0)
                First = index;
            return index;
        }
    }
}
