using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using LightTts.Tests.EndToEnd;
using LightTts.Tests.Support;
using LightTts.Cuda;
using LightTts.Torch;
using TorchSharp;

namespace LightTts.Tests.Gpu;

/// <summary>The embedded voice spoken on the GPU, alone and 16 at once, read back and compared with what the CPU of the same run says.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuSpeechTests(ITestOutputHelper output)
{
    private const int Sentences = 20, FirstSeed = 400, Listeners = 16;

    private static readonly string[] Texts =
        [.. File.ReadLines(Path.Combine(Repo.Root, "LightTts.Tests", "EndToEnd", "sentences.txt")).Take(Sentences)];

    // What the CPU speaks does not depend on the company, so it is spoken once for each voice and mode.
    private static readonly ConcurrentDictionary<(string, AudioDelivery), double> OnCpu = new();

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
        var cpu = OnCpu.GetOrAdd((voice, mode), key =>
            ErrorRate(SpeakAsync(SharedPipeline.GetAsync().Result, key.Item1, key.Item2, Sentences).Result));
        await using var pipeline = await LoadAsync(precision);
        await SpeakAsync(pipeline, voice, mode, Listeners); // warm
        foreach (var listeners in (int[])[1, Listeners])
        {
            using var stages = new Stages();
            var watch = Stopwatch.StartNew();
            var clips = await SpeakAsync(pipeline, voice, mode, listeners);
            var seconds = watch.Elapsed.TotalSeconds;
            var audio = clips.Sum(clip => clip.Duration.TotalSeconds);
            var rate = ErrorRate(clips);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{precision} {voice} {mode}, {listeners} at once: character error {rate:0.0} % (CPU {cpu:0.0} %), {audio:0.0} s of audio in ")
                + string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s, busy {stages}, device memory {Megabytes()}"));
            Assert.True(rate <= cpu + 3, $"character error {rate:0.0} %, the CPU's is {cpu:0.0} %");
        }
    }

    /// <summary>Requests that end, whichever way, leave nothing behind: no tensor, and no growth of what the device holds.</summary>
    [Fact]
    public async Task Memory_stays_flat()
    {
        TestDevice.Need();
        await using var pipeline = await LoadAsync(ComputePrecision.Auto);
        async Task Round()
        {
            await SpeakAsync(pipeline, "rms", AudioDelivery.Streaming, Listeners);
            await SpeakAsync(pipeline, "slt", AudioDelivery.Whole, Listeners);
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

    /// <summary>Speaks all sentences, so many at the same time.</summary>
    private static async Task<AudioClip[]> SpeakAsync(TtsPipeline pipeline, string voice, AudioDelivery mode, int listeners)
    {
        var clips = new AudioClip[Texts.Length];
        using var places = new SemaphoreSlim(listeners);
        await Task.WhenAll(Enumerable.Range(0, Texts.Length).Select(async i =>
        {
            await places.WaitAsync();
            try
            {
                clips[i] = await pipeline.SpeakAsync(new SynthesisRequest { Text = Texts[i], Voice = voice, Delivery = mode, Seed = FirstSeed + i });
            }
            finally
            {
                places.Release();
            }
        }));
        return clips;
    }

    private static double ErrorRate(AudioClip[] clips)
    {
        int characters = 0, errors = 0;
        using var recogniser = new Recogniser();
        for (var i = 0; i < clips.Length; i++)
        {
            var expected = Recogniser.Plain(Texts[i]);
            characters += expected.Length;
            errors += Recogniser.Distance(expected.ToCharArray(), recogniser.Read(clips[i]).ToCharArray());
        }
        return 100.0 * errors / characters;
    }

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

    /// <summary>Adds up the time that the stages' steps take.</summary>
    private sealed class Stages : IDisposable
    {
        private readonly ConcurrentDictionary<string, double> _seconds = new();
        private readonly MeterListener _listener = new();

        public Stages()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "LightTts", Name: "lighttts.stage.duration" })
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
            {
                foreach (var tag in tags)
                    if (tag is { Key: "lighttts.stage", Value: string stage })
                        _seconds.AddOrUpdate(stage, value, (_, sum) => sum + value);
            });
            _listener.Start();
        }

        public override string ToString() =>
            string.Join(", ", _seconds.OrderBy(pair => pair.Key).Select(pair => FormattableString.Invariant($"{pair.Key} {pair.Value:0.00} s")));

        public void Dispose() => _listener.Dispose();
    }
}
