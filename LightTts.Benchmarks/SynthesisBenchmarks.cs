using BenchmarkDotNet.Attributes;

namespace LightTts.Benchmarks;

/// <summary>The embedded voice speaks about ten seconds, and its first chunk.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class SynthesisBenchmarks
{
    private TtsPipeline _pipeline = null!;

    /// <summary>Arithmetic of the large products.</summary>
    [Params(ComputePrecision.Float32, ComputePrecision.BFloat16)]
    public ComputePrecision Precision { get; set; }

    /// <summary>Loads the pipeline.</summary>
    [GlobalSetup]
    public async Task Setup() => _pipeline = await TtsPipeline.LoadAsync(new TtsPipelineOptions
    {
        Precision = Precision,
        Device = ComputeDevice.Cpu,
        Timbres = new TimbreStoreOptions { Shared = false },
    });

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public async Task Cleanup() => await _pipeline.DisposeAsync();

    /// <summary>All of the audio, in one pass.</summary>
    [Benchmark(Baseline = true)]
    public Task<AudioClip> Whole() =>
        _pipeline.SpeakAsync(new SynthesisRequest { Text = SpeakCommand.Text, Delivery = AudioDelivery.Whole, Seed = 1 });

    /// <summary>All of the audio, in chunks.</summary>
    [Benchmark]
    public Task<AudioClip> Streamed() =>
        _pipeline.SpeakAsync(new SynthesisRequest { Text = SpeakCommand.Text, Delivery = AudioDelivery.Streaming, Seed = 1 });

    /// <summary>Up to the first chunk.</summary>
    [Benchmark]
    public async Task<AudioChunk?> FirstAudio()
    {
        await foreach (var chunk in _pipeline.SynthesizeAsync(new SynthesisRequest { Text = SpeakCommand.Text, Seed = 1 }))
            return chunk;
        return null;
    }
}
