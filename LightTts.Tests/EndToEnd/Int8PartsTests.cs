using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Models.CosyVoice.Flow.DiT.Cpu;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.EndToEnd;

/// <summary>What the 8-bit numbers of each kind of product cost by themselves, in the embedded voice.</summary>
public sealed class Int8PartsTests(ITestOutputHelper output)
{
    private static readonly TorchDevice Int8 = TorchDevice.Cpu.With(ComputePrecision.Int8);

    [Fact]
    public void Of_the_language_model()
    {
        long hidden = LanguageModels.TinyEn.HiddenSize, inner = LanguageModels.TinyEn.IntermediateSize;
        string Kind(Tensor weight) => weight.shape[1] == inner ? "down" : weight.shape[0] == 2 * inner ? "gate and up"
            : weight.shape[0] == hidden ? "attention out" : "qkv";
        using var exact = LanguageModels.Load("en", torch: false);
        double[] Divergences(Func<Tensor, bool> isInt8)
        {
            using var model = LanguageModels.Load("en", torch: false, matrix: (weight, bias) => isInt8(weight) ? new QuantizedLinear(weight, bias)
                : new PackedLinear(weight, bias)); // whose rows the reader makes fine where they are in the pipeline
            return Divergence(exact, model);
        }
        var all = Divergences(_ => true).Average();
        output.WriteLine($"all products: {all:0.00000} nats a token");
        foreach (var kind in (string[])["qkv", "attention out", "gate and up", "down"])
        {
            var alone = Divergences(weight => Kind(weight) == kind).Average();
            output.WriteLine($"{kind} alone: {alone:0.00000} nats a token");
            Assert.InRange(alone, 1e-9, 1.5 * all);
        }
    }

    [Fact]
    public void Of_the_flow()
    {
        using var scope = NewDisposeScope();
        using var exact = Flows.TinyEn();
        using var quantised = Flows.TinyEn(device: Int8);
        var (voice, tokens) = (Flows.Timbre(3, 40), Flows.Tokens(new Random(3), 61));
        if (exact.Estimator is not CpuDiTEstimator { Weights.Blocks: var blocks } || quantised.Estimator is not CpuDiTEstimator other)
        {
            Assert.Skip("the processor has no AVX-512: the flow's 32-bit products are libtorch's");
            return;
        }
        DiTBlockWeights[] own = [.. blocks], others = other.Weights.Blocks;
        Tensor Mel()
        {
            using var state = exact.Start(voice, streaming: false, 5);
            return exact.Run(state, tokens, final: true)!;
        }
        var expected = Mel();
        double Distance(Func<DiTBlockWeights, DiTBlockWeights, int, DiTBlockWeights> mix)
        {
            for (var i = 0; i < own.Length; i++)
                blocks[i] = mix(own[i], others[i], i);
            var distance = (expected - Mel()).norm().ToSingle() / expected.norm().ToSingle();
            own.CopyTo(blocks, 0);
            return distance;
        }
        var all = Distance((mine, its, _) => mine with { Qkv = its.Qkv, AttentionOut = its.AttentionOut, Up = its.Up, Down = its.Down });
        output.WriteLine($"all products: relative distance of the mel {all:0.00000}");
        (string, Func<DiTBlockWeights, DiTBlockWeights, int, DiTBlockWeights>)[] kinds =
        [
            ("qkv", (mine, its, _) => mine with { Qkv = its.Qkv }),
            ("attention out", (mine, its, _) => mine with { AttentionOut = its.AttentionOut }),
            ("up", (mine, its, _) => mine with { Up = its.Up }),
            ("down", (mine, its, _) => mine with { Down = its.Down }),
            .. Enumerable.Range(0, own.Length).Select(layer => ($"block {layer}",
                (Func<DiTBlockWeights, DiTBlockWeights, int, DiTBlockWeights>)((mine, its, i) => i == layer ? its : mine))),
        ];
        foreach (var (name, mix) in kinds)
        {
            var alone = Distance(mix);
            output.WriteLine($"{name} alone: {alone:0.00000}");
            Assert.InRange(alone, 1e-9, 1.5 * all);
        }
    }

    /// <summary>Of each step from the exact one's logits, over text and then speech that the exact model draws: both see the same past.</summary>
    private static double[] Divergence(LanguageModel exact, LanguageModel other)
    {
        using var exactState = exact.CreateState();
        using var otherState = other.CreateState();
        var divergence = new double[60];
        int[] inputs = [exact.Vocabulary.Sos, 11, 200, 731, 42, 1500, 9, 77, 340, exact.Vocabulary.TaskId];
        for (var step = 0; step < divergence.Length; step++)
        {
            var expected = LanguageModels.LogProbabilities(exact, exactState, inputs);
            var actual = LanguageModels.LogProbabilities(other, otherState, inputs);
            divergence[step] = expected.Zip(actual, (p, q) => Math.Exp(p) * (p - q)).Sum();
            inputs = [~Math.Min(Array.IndexOf(expected, expected.Max()), 6560)];
        }
        return divergence;
    }
}
