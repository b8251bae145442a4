using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.EndToEnd;

/// <summary>8-bit products: near the 32-bit ones, the same bits in any company, and asked for part by part.</summary>
public sealed class Int8Tests(ITestOutputHelper output)
{
    private static readonly TorchDevice Int8 = TorchDevice.Cpu.With(ComputePrecision.Int8);

    /// <summary>Text, then speech that the 32-bit model draws: at every step both see the same past.</summary>
    [Theory]
    [InlineData(ComputePrecision.BFloat16, 0.01)]
    [InlineData(ComputePrecision.Int8, 0.05)]
    public void Logits_of_the_language_model_stay_near(ComputePrecision precision, double most)
    {
        using var exact = LanguageModels.Load("en", torch: false);
        using var quantised = LanguageModels.Load("en", torch: false, device: TorchDevice.Cpu.With(precision));
        using var exactState = exact.CreateState();
        using var quantisedState = quantised.CreateState();
        int[] inputs = [exact.Vocabulary.Sos, 11, 200, 731, 42, 1500, 9, 77, 340, exact.Vocabulary.TaskId];
        var (divergence, same) = (0.0, 0);
        const int Steps = 60;
        for (var step = 0; step < Steps; step++)
        {
            var expected = LanguageModels.LogProbabilities(exact, exactState, inputs);
            var actual = LanguageModels.LogProbabilities(quantised, quantisedState, inputs);
            divergence += expected.Zip(actual, (p, q) => Math.Exp(p) * (p - q)).Sum() / Steps;
            var best = Array.IndexOf(expected, expected.Max());
            same += best == Array.IndexOf(actual, actual.Max()) ? 1 : 0;
            inputs = [~Math.Min(best, 6560)];
        }
        output.WriteLine($"divergence {divergence:0.00000} nats a token, the same best token at {same} of {Steps} steps");
        Assert.InRange(divergence, 1e-9, most); // not zero: it must be another arithmetic
        Assert.InRange(same, Steps * 8 / 10, Steps);
    }

    [Fact]
    public void Mel_of_the_flow_stays_near_and_streamed_is_whole()
    {
        using var scope = NewDisposeScope();
        using var exact = Flows.TinyEn();
        using var quantised = Flows.TinyEn(device: Int8);
        var (voice, tokens) = (Flows.Timbre(3, 40), Flows.Tokens(new Random(3), 61));
        using var one = exact.Start(voice, streaming: true, 3, sharePrefix: false);
        using var other = quantised.Start(voice, streaming: true, 3, sharePrefix: false);
        Tensor expected = exact.Run(one, tokens, final: true)!, actual = quantised.Run(other, tokens, final: true)!;
        var distance = (expected - actual).norm().ToSingle() / expected.norm().ToSingle();
        output.WriteLine($"relative distance of the mel {distance:0.0000}");
        Assert.InRange(distance, 1e-7, 0.05);
        using var state = quantised.Start(voice, streaming: true, 3);
        Flows.Near(actual, quantised.Stream(state, tokens, Flows.Pieces(new Random(3), 61)), 1e-5);
    }

    /// <summary>Weights of 16 bits: nearer than 8 bits.</summary>
    [Fact]
    public void Mel_of_half_weights_stays_nearer()
    {
        using var scope = NewDisposeScope();
        using var exact = Flows.TinyEn();
        using var halved = Flows.TinyEn(device: TorchDevice.Cpu.With(ComputePrecision.BFloat16));
        var (voice, tokens) = (Flows.Timbre(3, 40), Flows.Tokens(new Random(3), 61));
        using var one = exact.Start(voice, streaming: true, 3, sharePrefix: false);
        using var other = halved.Start(voice, streaming: true, 3, sharePrefix: false);
        Tensor expected = exact.Run(one, tokens, final: true)!, actual = halved.Run(other, tokens, final: true)!;
        var distance = (expected - actual).norm().ToSingle() / expected.norm().ToSingle();
        output.WriteLine($"relative distance of the mel {distance:0.0000}");
        Assert.InRange(distance, 1e-7, 0.01);
        using var state = halved.Start(voice, streaming: true, 3);
        Flows.Near(actual, halved.Stream(state, tokens, Flows.Pieces(new Random(3), 61)), 1e-5);
    }

    [Theory]
    [InlineData(ComputePrecision.Int8, null, null, ComputePrecision.Int8)]
    [InlineData(ComputePrecision.Float32, ComputePrecision.Int8, null, ComputePrecision.Float32)]
    [InlineData(ComputePrecision.Float32, null, ComputePrecision.Int8, ComputePrecision.Float32)]
    public async Task Parts_are_chosen_one_by_one(ComputePrecision all, ComputePrecision? language, ComputePrecision? flow, ComputePrecision said)
    {
        var options = SharedPipeline.Options();
        (options.Precision, options.LanguagePrecision, options.FlowPrecision) = (all, language, flow);
        await using var pipeline = await TtsPipeline.LoadAsync(options);
        Assert.Equal(said, pipeline.Model.Precision);
        var request = new SynthesisRequest { Text = "A small test.", Voice = "slt", Seed = 3, Delivery = AudioDelivery.Whole };
        var clip = await pipeline.SpeakAsync(request);
        Assert.InRange(clip.Duration.TotalSeconds, 0.5, 3);
        Assert.Equal(clip.Samples.ToArray(), (await pipeline.SpeakAsync(request)).Samples.ToArray());
        options.Precision = ComputePrecision.Float32;
        (options.LanguagePrecision, options.FlowPrecision) = (null, null);
        await using var exact = await TtsPipeline.LoadAsync(options);
        Assert.NotEqual((await exact.SpeakAsync(request)).Samples.ToArray(), clip.Samples.ToArray());
    }

    /// <summary>Its weights are stored in the same 16 bits: nothing is lost where they are kept in them, part by part or in all.</summary>
    [Theory]
    [InlineData(ComputePrecision.Float16, null)]
    [InlineData(ComputePrecision.Float32, ComputePrecision.Float16)]
    public async Task Float16_holds_the_embedded_voice_exactly(ComputePrecision all, ComputePrecision? language)
    {
        var options = SharedPipeline.Options();
        (options.Precision, options.LanguagePrecision, options.FlowPrecision) = (all, language, null);
        await using var halved = await TtsPipeline.LoadAsync(options);
        Assert.Equal(all, halved.Model.Precision);
        (options.Precision, options.LanguagePrecision) = (ComputePrecision.Float32, null);
        await using var exact = await TtsPipeline.LoadAsync(options);
        var request = new SynthesisRequest { Text = "A small test.", Voice = "slt", Seed = 3, Delivery = AudioDelivery.Whole };
        // Where the flow's 32-bit products are libtorch's, sums are formed in another order.
        var (expected, actual) = ((await exact.SpeakAsync(request)).Samples.ToArray(), (await halved.SpeakAsync(request)).Samples.ToArray());
        Assert.Equal(expected.Length, actual.Length);
        if (System.Runtime.Intrinsics.Vector512.IsHardwareAccelerated)
            Assert.Equal(expected, actual);
        else
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-2));
    }

    [Fact]
    public async Task A_converted_model_is_small_and_speaks_the_same()
    {
        using var folder = new TempFolder();
        await TtsModels.ConvertAsync(Repo.TinyEn, folder["int8"], TestDevice.Natives);
        long Bytes(string root, string name) => new DirectoryInfo(root).EnumerateFiles(name + ".*").Sum(file => file.Length);
        Assert.InRange(Bytes(folder["int8"], "flow"), 1, Bytes(Repo.TinyEn, "flow") * 0.8);
        var options = SharedPipeline.Options();
        options.Precision = ComputePrecision.Int8;
        var request = new SynthesisRequest { Text = "A small test.", Voice = "slt", Seed = 3 };
        await using var made = await TtsPipeline.LoadAsync(options);
        (options.ModelPath, options.Precision) = (folder["int8"], ComputePrecision.Auto); // the numbers say what they are for
        await using var stored = await TtsPipeline.LoadAsync(options);
        Assert.Equal((made.Model.Name, made.Model.Voices.Count), (stored.Model.Name, stored.Model.Voices.Count));
        Assert.Equal((await made.SpeakAsync(request)).Samples.ToArray(), (await stored.SpeakAsync(request)).Samples.ToArray());

        options.Precision = ComputePrecision.Float32;
        var error = await Assert.ThrowsAsync<TtsModelLoadException>(() => TtsPipeline.LoadAsync(options));
        Assert.Contains("Set the precision to Auto or Int8", error.Message);
        await Assert.ThrowsAsync<IOException>(() => TtsModels.ConvertAsync(Repo.TinyEn, folder["int8"], TestDevice.Natives));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TtsModels.ConvertAsync(Repo.TinyEn, folder["other"], TestDevice.Natives,
            cancelled.Token));
        Assert.Equal([folder["int8"]], Directory.GetFileSystemEntries(folder.Path));
    }
}
