using LightTts.Tests.Support;

namespace LightTts.Tests.Gpu;

/// <summary>Faults that only a device can have, really injected: no memory left, the device lost. In processes of their own, as neither goes by
/// for one that met it.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuFaultTests(ITestOutputHelper output)
{
    private static readonly bool Rehearsal = TestDevice.Kind == ComputeDevice.Cpu;

    /// <summary>Memory fails at one place of the load after the other, and each time the numbers are said; what loads in the end speaks, and what
    /// finds no memory while it runs fails alone.</summary>
    [Fact]
    public void Row_28_no_memory_left()
    {
        TestDevice.Need();
        var lines = Tell(DeviceMemoryWorker.Role);
        Assert.DoesNotContain(lines, line => line.StartsWith("broke", StringComparison.Ordinal));
        var refused = lines.Where(line => line.StartsWith("refused", StringComparison.Ordinal)).ToArray();
        Assert.True(Rehearsal || refused.Length >= 3, "memory was never too little");
        Assert.All(refused, line => Assert.Matches("(MiB|GiB|bytes)", line));
        Assert.Contains(lines, line => line.StartsWith("loaded", StringComparison.Ordinal));
        var served = lines.Where(line => line.StartsWith("service", StringComparison.Ordinal)).ToArray();
        Assert.Equal(DeviceMemoryWorker.Failures, served.Length);
        foreach (var outcome in served.SelectMany(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(", ")))
            Assert.Matches($"^[0-9]+ ({DeviceMemoryWorker.Spoken}$|Tts[A-Za-z]+: .*([0-9] MiB|[0-9] GiB|bytes))", outcome);
        Assert.Contains($"with memory again: {DeviceMemoryWorker.Listeners} {DeviceMemoryWorker.Spoken}", lines);
        Assert.Equal("spoke", lines[^1]);
    }

    /// <summary>Whatever becomes of a graph, the next of its pool can be recorded.</summary>
    [Fact]
    public void Row_28_graphs_that_come_to_nothing()
    {
        TestDevice.Need();
        Assert.SkipWhen(Rehearsal, "there are graphs on CUDA devices only");
        string[] told =
        [
            "gone: recorded", "after the last one: recorded", "throws: failed", "after one that threw: recorded", "throws beside another: failed",
            "beside another: recorded", "waits for the device: failed", "after one that waited: recorded", "sum 2000",
        ];
        Assert.Equal(told, Tell(DeviceGraphWorker.Role));
    }

    [Fact]
    public async Task Row_28_another_process_takes_nine_tenths()
    {
        TestDevice.Need();
        using var neighbour = ChildProcess.Start(DeviceMemoryWorker.Neighbour);
        output.WriteLine(neighbour.ReadLine() ?? "nothing");
        var options = SharedPipeline.Options();
        options.Device = TestDevice.Kind;
        await using (var pipeline = await TtsPipeline.LoadAsync(options))
        {
            var clips = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => pipeline.SpeakAsync(new SynthesisRequest
            {
                Text = "The old lighthouse stood on a rocky cliff.", Seed = i, Delivery = (AudioDelivery)(i % 2),
            })));
            Assert.All(clips, clip => Assert.NotEqual(0, clip.Samples.Length));
        }
        neighbour.EndInput();
        Assert.Equal(0, neighbour.WaitForExit());
    }

    [Theory]
    [InlineData("address", "language")]
    [InlineData("trap", "language")]
    [InlineData("address", "decode")]
    [InlineData("trap", "decode")]
    public void Row_30_the_device_is_lost(string kind, string stage)
    {
        TestDevice.Need();
        var lines = Tell(DeviceLossWorker.Role, kind, stage, "1");
        Assert.Equal("ended: 8 TtsSynthesisException", lines[0]);
        Assert.InRange(int.Parse(lines[1].Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture), 0, 1_000);
        Assert.Contains("False", lines[2]);
        Assert.StartsWith("new request: TtsSynthesisException", lines[3], StringComparison.Ordinal);
        Assert.StartsWith(Rehearsal ? "again: loaded" : "again: TtsBackendException: A CUDA device is lost to this process", lines[^2],
            StringComparison.Ordinal);
        Assert.StartsWith("disposed", lines[^1], StringComparison.Ordinal);
    }

    private List<string> Tell(string role, params string[] arguments)
    {
        using var worker = ChildProcess.Start(role, arguments);
        List<string> lines = [];
        while (worker.ReadLine() is { } line)
        {
            output.WriteLine(line);
            lines.Add(line);
        }
        Assert.Equal(0, worker.WaitForExit());
        return lines;
    }
}
