using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Tests.Support;
using Microsoft.Extensions.Logging.Testing;

namespace LightTts.Tests.EndToEnd;

/// <summary>The embedded voice decoded by ONNX Runtime, read back and compared with what LightTts' own estimator says.</summary>
public sealed class OnnxDecoderSpeechTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Points above the own estimator's figure; the same tokens are decoded to within rounding.</summary>
    private const double Leeway = 1;

    private static readonly string[] Texts =
        [.. File.ReadLines(Path.Combine(Repo.Root, "LightTts.Tests", "EndToEnd", "sentences.txt")).Take(FullRun.Pick(6, 40))];

    private readonly TempFolder _model = new();

    public void Dispose() => _model.Dispose();

    /// <summary>Whole speech through the reference's file; whole and streamed speech through the exported one.</summary>
    [Theory]
    [InlineData(false, AudioDelivery.Whole, "rms")]
    [InlineData(false, AudioDelivery.Whole, "slt")]
    [InlineData(true, AudioDelivery.Whole, "rms")]
    [InlineData(true, AudioDelivery.Streaming, "rms")]
    public async Task Speech_is_read_back_as_the_own_estimators(bool exported, AudioDelivery delivery, string voice)
    {
        Copy(Repo.TinyEn, _model.Path);
        if (exported)
            Assert.Equal(_model[StreamingContract.FileName], await TtsPipeline.ExportOnnxAsync(new TtsPipelineOptions { ModelPath = _model.Path }));
        else
            File.Copy(Repo.Voice("estimator/flow.decoder.estimator.fp32.onnx"), _model[WholeEstimatorFile.FileName]);
        var logs = new FakeLogCollector();
        var options = SharedPipeline.Options();
        (options.ModelPath, options.Decoder) = (_model.Path, DecoderEngine.OnnxRuntime);
        using var factory = new Microsoft.Extensions.Logging.LoggerFactory([new FakeLoggerProvider(logs)]);
        options.LoggerFactory = factory;
        await using var pipeline = await TtsPipeline.LoadAsync(options);
        var (own, onnx) = (await SpeakAsync(await SharedPipeline.GetAsync(), delivery, voice), await SpeakAsync(pipeline, delivery, voice));
        Assert.Contains(logs.GetSnapshot(), line => line.Message.StartsWith("Decoding by ONNX Runtime on CPU", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.GetSnapshot(), line => line.Id.Id == 1203);
        var (expected, actual) = (Recogniser.ErrorRate(own, Texts), Recogniser.ErrorRate(onnx, Texts));
        var difference = own.Zip(onnx, (a, b) => a.Samples.Length == b.Samples.Length ? Difference(a, b) : float.PositiveInfinity).Max();
        output.WriteLine($"{voice}, {Texts.Length} sentences: character error {actual:0.0} %, by the own estimator {expected:0.0} %; "
            + $"samples differ by up to {difference:e1}");
        Assert.True(actual <= expected + Leeway, $"character error {actual:0.0} %, by the own estimator {expected:0.0} %");
        Assert.InRange(difference, 0, 0.1f);
    }

    private static float Difference(AudioClip a, AudioClip b)
    {
        var left = a.Samples.Span;
        var right = b.Samples.Span;
        var largest = 0f;
        for (var i = 0; i < left.Length; i++)
            largest = Math.Max(largest, Math.Abs(left[i] - right[i]));
        return largest;
    }

    private static Task<AudioClip[]> SpeakAsync(TtsPipeline pipeline, AudioDelivery delivery, string voice) =>
        Task.WhenAll(Texts.Select((text, i) =>
            pipeline.SpeakAsync(new SynthesisRequest { Text = text, Voice = voice, Delivery = delivery, Seed = 400 + i })));

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
