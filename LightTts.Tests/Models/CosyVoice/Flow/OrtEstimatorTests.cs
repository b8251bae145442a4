using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Onnx;
using LightTts.Tests.Support;
using LightTts.Timbres;
using LightTts.Weights;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>The velocity by ONNX Runtime: the reference's exported file, and LightTts' own export for streams.</summary>
public sealed class OrtEstimatorTests(ITestOutputHelper output)
{
    private const int Steps = 3;
    private const double Tolerance = 1e-4;

    private static string Reference => Path.GetDirectoryName(Repo.Voice("estimator/flow.decoder.estimator.fp32.onnx"))!;

    [Fact]
    public void The_reference_file_computes_its_case()
    {
        using var golden = SafetensorsFile.Open(Repo.Voice("estimator/case.safetensors"));
        using var session = OnnxSession.Load(WholeEstimatorFile.PathIn(Reference), new OnnxOptions { Threads = 1 });
        string[] names = ["x", "mask", "mu", "t", "spks", "cond"];
        var inputs = names.Select(name => OrtValue.CreateTensorValueFromMemory(golden.Tensors[name].ToSingles(), [.. golden.Tensors[name].Shape]))
            .ToArray();
        var expected = golden.Tensors["estimator_out"].ToSingles();
        var actual = new float[expected.Length];
        using var result = OrtValue.CreateTensorValueFromMemory(actual, [2, 80, 100]);
        session.Run(names, inputs, session.OutputNames, [result]);
        foreach (var input in inputs)
            input.Dispose();
        var largest = expected.Max(Math.Abs);
        var difference = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() / largest;
        output.WriteLine($"relative difference {difference:e1}");
        Assert.True(difference <= 1e-5, $"differs by {difference:e1} of {largest}");
    }

    /// <summary>Velocities of the first step, whose inputs are the same, and the mel behind the last.</summary>
    [Fact]
    public void Whole_speech_by_the_reference_file_is_the_plain_tensors()
    {
        using var scope = NewDisposeScope();
        using var plain = Flows.TinyEn();
        using var onnx = Flows.TinyEn(OnnxEstimators.In(Reference, Flows.TinyEnConfig));
        var (voice, tokens) = (Flows.Timbre(1, 54), Flows.Tokens(new Random(1), 90));
        var segment = Flows.Segment(plain, voice, tokens);
        Tensor? expected = null, actual = null;
        plain.Solve(segment, Steps, (step, _, velocity) => expected ??= velocity.clone().DetachFromDisposeScope());
        onnx.Solve(segment, Steps, (step, _, velocity) => actual ??= velocity.clone().DetachFromDisposeScope());
        var relative = Flows.Difference(expected!, actual!) / expected!.abs().max().ToSingle();
        output.WriteLine($"velocity differs by {relative:e1} of the largest");
        Assert.True(relative <= 1e-5, $"{relative:e1}");

        var mel = Speak(plain, voice, tokens, streaming: false);
        var mine = Speak(onnx, voice, tokens, streaming: false);
        output.WriteLine($"mel differs by {Flows.Difference(mel, mine):e1}");
        Flows.Near(mel, mine, Tolerance);
        Assert.Equal(2 * Steps, Runs(onnx));
    }

    [Fact]
    public void Streams_stay_with_the_own_estimator_where_the_file_has_no_mask()
    {
        using var scope = NewDisposeScope();
        using var onnx = Flows.TinyEn(OnnxEstimators.In(Reference, Flows.TinyEnConfig));
        Speak(onnx, Flows.Timbre(2, 30), Flows.Tokens(new Random(2), 40), streaming: true);
        Assert.Equal(0, Runs(onnx));
    }

    [Fact]
    public void A_pass_of_whole_and_streamed_rows_is_shared_out()
    {
        using var scope = NewDisposeScope();
        using var plain = Flows.TinyEn();
        using var onnx = Flows.TinyEn(OnnxEstimators.In(Reference, Flows.TinyEnConfig));
        List<Tensor>[] results = [[], []];
        foreach (var (i, flow) in new[] { plain, onnx }.Index())
        {
            FlowRow[] rows = [.. new[] { true, false, true, false }.Select((streaming, row) => new FlowRow
            {
                State = flow.Start(Flows.Timbre(row, 20), streaming, Steps), Tokens = Flows.Tokens(new Random(row), 30 + 5 * row), Final = true,
            })];
            flow.Run(rows);
            foreach (var row in rows)
            {
                Assert.Null(row.Error);
                results[i].Add(row.Mel!);
                row.State.Dispose();
            }
        }
        Assert.Equal(Steps, Runs(onnx));
        foreach (var (expected, actual) in results[0].Zip(results[1]))
            Flows.Near(expected, actual, Tolerance);
    }

    [Theory]
    [InlineData(54, 90, 1)]
    [InlineData(20, 61, 2)]
    [InlineData(0, 57, 3)]
    public void Streams_by_the_exported_file_are_the_chunk_causal_pass(int prompt, int count, int seed)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var plain = Flows.TinyEn();
        using var onnx = OnnxEstimators.TinyEn(folder);
        CheckStreams(plain, onnx, Flows.Timbre(seed, prompt), Flows.Tokens(new Random(seed), count), seed);
    }

    [Theory]
    [InlineData("cv2", 400)]
    [InlineData("cv3", 512)]
    public void Both_generations_are_exported(string model, int vocabulary)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var directory = ModelDirectory.Open(Repo.Golden($"main/models/cosyvoice{model[2]}-tiny"));
        EstimatorExport.Write(directory, folder.Path, CancellationToken.None);
        using var plain = Flows.Golden(model);
        using var onnx = Flows.Golden(model, options: OnnxEstimators.In(folder.Path, directory.Config.Flow));
        CheckStreams(plain, onnx, Flows.Timbre(4, 30, vocabulary), Flows.Tokens(new Random(4), 70, vocabulary), 4);
    }

    /// <summary>A run that fails in the middle of a stream: its steps so far stay, LightTts' own estimator does the rest.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_session_that_fails_is_replaced_and_nobody_notices(bool streaming)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var plain = Flows.TinyEn();
        var log = new FakeLogger();
        var path = EstimatorExport.Write(ModelDirectory.Open(Repo.TinyEn), folder.Path, CancellationToken.None);
        using var onnx = Flows.TinyEn(new FlowOptions(Over: (own, archive, device) => new OrtVelocityEstimator(own,
            new FailingFile(new StreamingEstimatorFile(OnnxSession.Load(path, new OnnxOptions { Threads = 1 }), Flows.TinyEnConfig,
                WeightsMark.Of(archive), device, OrtFrames.Any), path, failAt: Steps + 1), log)));
        var (voice, tokens) = (Flows.Timbre(5, 54), Flows.Tokens(new Random(5), 90));
        var expected = Speak(plain, voice, tokens, streaming);
        Flows.Near(expected, Speak(onnx, voice, tokens, streaming), Tolerance);
        Flows.Near(expected, Speak(onnx, voice, tokens, streaming), Tolerance);
        var estimator = (OrtVelocityEstimator)onnx.Estimator;
        Assert.True(estimator.IsLost);
        Assert.Equal(Steps + 1, estimator.Runs);
        var line = Assert.Single(log.Collector.GetSnapshot());
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.StartsWith("ONNX Runtime decodes no more for this model, LightTts' own estimator goes on: ", line.Message);
    }

    [Fact]
    public void A_file_of_other_weights_is_refused_where_it_was_asked_for_and_left_alone_otherwise()
    {
        using var folder = new TempFolder();
        EstimatorExport.Write(ModelDirectory.Open(Repo.Golden("main/models/cosyvoice3-tiny")), folder.Path, CancellationToken.None);
        var error = Assert.Throws<TtsModelLoadException>(() => Flows.TinyEn(OnnxEstimators.In(folder.Path, Flows.TinyEnConfig)));
        Assert.Contains("Export it again: speak models export-onnx", error.Message);
        using var empty = new TempFolder();
        Assert.Contains("speak models export-onnx",
            Assert.Throws<TtsModelLoadException>(() => Flows.TinyEn(OnnxEstimators.In(empty.Path, Flows.TinyEnConfig))).Message);
    }

    [Fact]
    public void By_itself_only_an_accelerator_is_chosen_and_why_not_is_one_line()
    {
        Assert.SkipWhen(OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"), "these natives have CUDA");
        var log = new FakeLogger();
        using var flow = Flows.TinyEn(OnnxEstimators.In(Reference, Flows.TinyEnConfig, log,
            [ExecutionProvider.TensorRt, ExecutionProvider.Cuda, ExecutionProvider.Cpu], DecoderEngine.Auto));
        Assert.IsNotType<OrtVelocityEstimator>(flow.Estimator);
        var line = Assert.Single(log.Collector.GetSnapshot());
        Assert.Contains("TensorRT: this ONNX Runtime has been built without it", line.Message);
        Assert.Contains("CUDA: this ONNX Runtime has been built without it", line.Message);
        output.WriteLine(line.Message);
    }

    private void CheckStreams(FlowModel plain, FlowModel onnx, TimbreFeatures voice, int[] tokens, int seed)
    {
        var random = new Random(seed);
        using var whole = plain.Start(voice, streaming: true, Steps, sharePrefix: false);
        var expected = plain.Run(whole, tokens, final: true)!;
        var worst = 0f;
        for (var round = 0; round < 4; round++)
        {
            using var state = onnx.Start(voice, streaming: true, Steps, round == 3 ? FlowCachePolicy.Recompute : FlowCachePolicy.Cached,
                sharePrefix: round is 1 or 2);
            var actual = onnx.Stream(state, tokens, Flows.Pieces(random, tokens.Length));
            worst = Math.Max(worst, Flows.Difference(expected, actual));
            Flows.Near(expected, actual, Tolerance);
        }
        Flows.Near(Speak(plain, voice, tokens, streaming: false), Speak(onnx, voice, tokens, streaming: false), Tolerance);
        output.WriteLine($"{Runs(onnx)} steps by ONNX Runtime, streamed differs by {worst:e1}");
        Assert.True(Runs(onnx) > 4 * Steps);
        Assert.False(((OrtVelocityEstimator)onnx.Estimator).IsLost);
    }

    private static long Runs(FlowModel flow) => ((OrtVelocityEstimator)flow.Estimator).Runs;

    private static Tensor Speak(FlowModel flow, TimbreFeatures voice, int[] tokens, bool streaming)
    {
        using var state = flow.Start(voice, streaming, Steps);
        return flow.Run(state, tokens, final: true)!;
    }

    /// <summary>Runs its session with a wrong shape from some step on.</summary>
    private sealed class FailingFile(StreamingEstimatorFile file, string path, int failAt) : IEstimatorFile
    {
        private readonly OnnxSession _session = OnnxSession.Load(path, new OnnxOptions { Threads = 1 });
        private int _steps;

        public string Name => file.Name;

        public string Provider => file.Provider;

        public bool Takes(FlowSegment segment) => file.Takes(segment);

        public IEstimatorPass Begin(FlowSegment segment, float[] times) => new FailingPass(this, file.Begin(segment, times));

        public void Dispose()
        {
            file.Dispose();
            _session.Dispose();
        }

        private void Step()
        {
            if (++_steps <= failAt)
                return;
            using var wrong = OrtValue.CreateTensorValueFromMemory(new float[7], [1, 7]);
            using var velocity = OrtValue.CreateTensorValueFromMemory(new float[14], [2, 1, 7]);
            _session.Run([StreamingContract.X], [wrong], [StreamingContract.Velocity], [velocity]);
        }

        private sealed class FailingPass(FailingFile owner, IEstimatorPass pass) : IEstimatorPass
        {
            public Tensor Velocity(Tensor x, int step)
            {
                owner.Step();
                return pass.Velocity(x, step);
            }

            public void Dispose() => pass.Dispose();
        }
    }
}
