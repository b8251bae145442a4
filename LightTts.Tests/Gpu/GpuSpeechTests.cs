using System.Globalization;
using LightTts.Tests.EndToEnd;
using LightTts.Tests.Support;
using LightTts.Cuda;
using TorchSharp;

namespace LightTts.Tests.Gpu;

/// <summary>The embedded voice spoken on the GPU, alone and 64 at once, read back and compared with what the CPU of the same run says.</summary>
/// <remarks>LIGHTTTS_FULL=1 takes all 40 sentences instead of the first 20.</remarks>
[Collection(GpuCollection.Name)]
public sealed class GpuSpeechTests(ITestOutputHelper output, GpuSpeechTests.Pipelines pipelines) : IClassFixture<GpuSpeechTests.Pipelines>
{
    private const int FirstSeed = 400, Listeners = 16, Crowd = 64;

    private static readonly string[] Texts =
        [.. File.ReadLines(Path.Combine(Repo.Root, "LightTts.Tests", "EndToEnd", "sentences.txt")).Take(FullRun.Pick(20, 40))];

    [Theory]
    [InlineData(ComputePrecision.Float32, "slt", AudioDelivery.Whole)]
    [InlineData(ComputePrecision.Float32, "slt", AudioDelivery.Streaming)]
    [InlineData(ComputePrecision.Float32, "rms", AudioDelivery.Whole)]
    [InlineData(ComputePrecision.Float32, "rms", AudioDelivery.Streaming)]
    [InlineData(ComputePrecision.BFloat16, "slt", AudioDelivery.Whole)]
    [InlineData(ComputePrecision.BFloat16, "slt", AudioDelivery.Streaming)]
    [InlineData(ComputePrecision.BFloat16, "rms", AudioDelivery.Whole)]
    [InlineData(ComputePrecision.BFloat16, "rms", AudioDelivery.Streaming)]
    public async Task Sentences_are_read_back_as_the_CPUs(ComputePrecision precision, string voice, AudioDelivery mode)
    {
        TestDevice.Need();
        var cpu = await pipelines.OnCpuAsync(voice, mode);
        var pipeline = await pipelines.GetAsync(precision);
        var alone = await SpeakAsync(pipeline, voice, mode, 1, Texts.Length);
        var crowd = TestDevice.Kind == ComputeDevice.Cpu ? Texts.Length : Crowd; // the others are company
        var together = (await SpeakAsync(pipeline, voice, mode, crowd, crowd))[..Texts.Length];
        foreach (var (clips, listeners) in new[] { (alone, 1), (together, crowd) })
        {
            var rate = Recogniser.ErrorRate(Clips(clips), Texts);
            output.WriteLine($"{precision} {voice} {mode}, {listeners} at once: character error "
                + string.Create(CultureInfo.InvariantCulture, $"{rate:0.0} % (CPU {cpu.ErrorRate:0.0} %), ")
                + $"{Same(clips, cpu.Spoken)} of {Texts.Length} with the CPU's tokens");
            Assert.True(rate <= cpu.ErrorRate + 3, $"character error {rate:0.0} %, the CPU's is {cpu.ErrorRate:0.0} %");
        }
        output.WriteLine($"{Same(alone, together)} of {Texts.Length} have the same tokens alone and in company");
        if (precision == ComputePrecision.Float32)
            Assert.Equal(Texts.Length, Same(alone, together));
    }

    /// <summary>Requests that end, whichever way, leave nothing behind: no tensor, and no growth of what the device holds.</summary>
    [Fact]
    public async Task Memory_stays_flat()
    {
        TestDevice.Need();
        await using var pipeline = await LoadAsync(ComputePrecision.Auto);
        async Task Round()
        {
            await SpeakAsync(pipeline, "rms", AudioDelivery.Streaming, Listeners, Texts.Length);
            await SpeakAsync(pipeline, "slt", AudioDelivery.Whole, Listeners, Texts.Length);
            foreach (var text in Texts)
                await foreach (var chunk in pipeline.SynthesizeAsync(new SynthesisRequest { Text = text, Voice = "rms" }))
                    break; // a listener who leaves after the first chunk
        }
        // Long enough for the passes' many shapes to have occurred: libtorch keeps the memory of each.
        for (var i = 0; i < 6; i++)
            await Round();
        var (tensors, bytes) = (await LiveTensors(), CudaMemory.Used());
        output.WriteLine($"after 6 rounds: {tensors} tensors, device memory {Megabytes()}");
        for (var i = 0; i < 5; i++)
        {
            await Round();
            output.WriteLine($"round {i + 7}: {await LiveTensors()} tensors, device memory {Megabytes()}");
        }
        // Shapes of a step that no round met before add 8 tensors each; a leak would add some at every one of the 300 requests.
        Assert.InRange(await LiveTensors(), 0, tensors + 100);
        if (bytes is { } before)
            Assert.InRange(CudaMemory.Used()!.Value, 0, before + (128L << 20));
    }

    private static async Task<TtsPipeline> LoadAsync(ComputePrecision precision)
    {
        var options = SharedPipeline.Options();
        (options.Device, options.Precision) = (TestDevice.Kind, precision);
        return await TtsPipeline.LoadAsync(options);
    }

    /// <summary>Speaks the sentences over and over until it is so many, so many at the same time.</summary>
    private static async Task<Spoken[]> SpeakAsync(TtsPipeline pipeline, string voice, AudioDelivery mode, int listeners, int count)
    {
        var spoken = new Spoken[count];
        using var places = new SemaphoreSlim(listeners);
        await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
        {
            await places.WaitAsync();
            try
            {
                var request = new SynthesisRequest { Text = Texts[i % Texts.Length], Voice = voice, Delivery = mode, Seed = FirstSeed + i };
                List<float> samples = [];
                List<int> tokens = [];
                await foreach (var chunk in pipeline.SynthesizeAsync(request))
                {
                    samples.AddRange(chunk.Samples.Span);
                    tokens.AddRange(chunk.SpeechTokens.Span);
                }
                spoken[i] = new Spoken(new AudioClip(samples.ToArray(), pipeline.Model.SampleRate), [.. tokens]);
            }
            finally
            {
                places.Release();
            }
        }));
        return spoken;
    }

    private static AudioClip[] Clips(Spoken[] spoken) => [.. spoken.Select(one => one.Clip)];

    private static int Same(Spoken[] some, Spoken[] others) => some.Zip(others).Count(pair => pair.First.Tokens.SequenceEqual(pair.Second.Tokens));

    /// <summary>Live tensors once the stages have let go of what ended last.</summary>
    private static async Task<long> LiveTensors()
    {
        var count = torch.Tensor.TotalCount;
        for (var i = 0; i < 20; i++)
        {
            await Task.Delay(50);
            (var before, count) = (count, torch.Tensor.TotalCount);
            if (before == count && i > 3)
                break;
        }
        return count;
    }

    private static string Megabytes() => CudaMemory.Used() is { } bytes ? $"{bytes >> 20} MiB" : "unknown";

    public sealed record Spoken(AudioClip Clip, int[] Tokens);

    /// <summary>A pipeline of each precision, and what the CPU speaks, which does not depend on the company: once for each voice and mode.</summary>
    public sealed class Pipelines : IAsyncDisposable
    {
        private readonly Dictionary<ComputePrecision, TtsPipeline> _loaded = [];
        private readonly Dictionary<(string, AudioDelivery), (Spoken[], double)> _onCpu = [];

        public async Task<TtsPipeline> GetAsync(ComputePrecision precision)
        {
            if (!_loaded.TryGetValue(precision, out var pipeline))
                _loaded[precision] = pipeline = await LoadAsync(precision);
            return pipeline;
        }

        public async Task<(Spoken[] Spoken, double ErrorRate)> OnCpuAsync(string voice, AudioDelivery mode)
        {
            if (!_onCpu.TryGetValue((voice, mode), out var known))
            {
                var spoken = await SpeakAsync(await SharedPipeline.GetAsync(), voice, mode, Texts.Length, Texts.Length);
                _onCpu[(voice, mode)] = known = (spoken, Recogniser.ErrorRate(Clips(spoken), Texts));
            }
            return known;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var pipeline in _loaded.Values)
                await pipeline.DisposeAsync();
        }
    }
}
