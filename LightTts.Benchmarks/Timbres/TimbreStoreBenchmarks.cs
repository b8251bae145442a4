using BenchmarkDotNet.Attributes;

namespace LightTts.Benchmarks.Timbres;

/// <summary>Finding a voice of 4 s: in this process, in the segment, by its audio, and not at all.</summary>
[MemoryDiagnoser]
public class TimbreStoreBenchmarks
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-bench-").FullName;
    private TimbreBench _bench = null!;

    [GlobalSetup]
    public void SetUp() => _bench = new TimbreBench(Path.Combine(_folder, "voices"));

    [Benchmark(Baseline = true)]
    public Timbre? OwnHit() => _bench.OwnHit();

    [Benchmark]
    public Timbre? SegmentHit() => _bench.SegmentHit();

    [Benchmark]
    public Timbre AddAgain() => _bench.AddAgain();

    [Benchmark]
    public Timbre Miss() => _bench.Miss();

    [GlobalCleanup]
    public void CleanUp()
    {
        _bench.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
