using LightTts.Benchmarks.Ledger;

namespace LightTts.Tests.Benchmarks;

/// <summary>What a ledger makes of activities: sums within windows, and the time in which the device rests.</summary>
public class LedgerTests
{
    private static readonly (long, long)[] Windows = [(1000, 2000), (5000, 6000)];

    [Fact]
    public void What_overlaps_is_busy_once_and_what_lies_outside_does_not_count()
    {
        var account = new LedgerAccount(Windows,
        [
            Activity("a", 1100, 1300, stream: 1, graph: 7),
            Activity("b", 1200, 1400, stream: 2),
            Activity("a", 1900, 2100, stream: 1), // half of it inside
            Activity("b", 3000, 4000, stream: 2),
            Activity("a", 5500, 5600, stream: 1, graph: 7),
            Activity("a", 5550, 5570, stream: 1, graph: 7), // within the one before
        ], [], _ => null);
        Assert.Equal((2, 2000, 1), (account.Windows, account.Nanoseconds, account.Devices));
        Assert.Equal((300 + 100 + 100, 1500), (account.BusyNanoseconds, account.IdleNanoseconds));
        var (name, row) = account.Kernels.First();
        Assert.Equal(("a", 4, 3, 200 + 100 + 100 + 20L), (name, row.Count, row.InGraphs, row.Nanoseconds));
        Assert.Equal([("stream 1", 400L), ("stream 2", 200L)], account.Streams.Select(stream => (stream.Name, stream.Row.Busy)));
    }

    [Fact]
    public void One_that_goes_on_through_several_windows_is_busy_in_all_of_them()
    {
        var account = new LedgerAccount(Windows, [Activity("long", 500, 5500), Activity("short", 1000, 1001)], [], _ => null);
        Assert.Equal(1000 + 500, account.BusyNanoseconds);
        Assert.Equal(1500, account.Kernels.First().Row.Nanoseconds);
    }

    [Fact]
    public void A_stream_is_called_after_the_thread_that_launches_there_and_calls_are_summed_by_thread()
    {
        var account = new LedgerAccount(Windows,
            [Activity("a", 1100, 1300, stream: 1, correlation: 5), Activity("copy host to device", 1300, 1301, stream: 2, correlation: 6)],
        [
            new HostCall("cudaGraphLaunch", 1050, 1060, 11, 5), new HostCall("cudaGraphLaunch", 1070, 1100, 11, 0),
            new HostCall("sync", 900, 950, 12, 0),
        ],
            thread => thread == 11 ? "language" : null);
        Assert.Equal(["stream 1 (language)", "stream 2"], account.Streams.Select(stream => stream.Name));
        var ((thread, call), row) = Assert.Single(account.Calls);
        Assert.Equal(("language", "cudaGraphLaunch", 2, 40L), (thread, call, row.Count, row.Nanoseconds));
    }

    [Fact]
    public void Devices_rest_each_for_itself()
    {
        var account = new LedgerAccount(Windows, [Activity("a", 1000, 2000, device: 0), Activity("a", 1000, 1500, device: 1)], [], _ => null);
        Assert.Equal((2, 1500, 2500), (account.Devices, account.BusyNanoseconds, account.IdleNanoseconds));
        Assert.Equal(["device 0, stream 0", "device 1, stream 0"], account.Streams.Select(stream => stream.Name));
    }

    [Fact]
    public void The_text_divides_by_what_it_is_asked_to()
    {
        var account = new LedgerAccount(Windows, [Activity("flow_attend", 1000, 1400), Activity("copy host to device", 5000, 5100)], [], _ => null);
        var lines = new LedgerText(account, "pass", 2).Write("A part").Split('\n');
        Assert.Equal("== A part", lines[0]);
        Assert.Contains("device busy 0.3 (25.0 %), idle 0.8", lines);
        Assert.Contains(lines, line => Words(line) == "own kernels 0.5 0.0 0.2 20.0 0.40");
        Assert.Contains(lines, line => Words(line) == "copies and fills 0.5 0.0 0.1 5.0 0.10");
    }

    [Theory]
    [InlineData("_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_15CUDAFunctor_addIfEESt5arrayIPcLm3EEEEviT0_T1_", "element by element")]
    [InlineData("nvjet_tst_128x64_64x8_4x1_v_bz_TNT", "matrix products")]
    [InlineData("void implicit_convolve_sgemm<float, float, 128, 5, 5, 3, 3, 3, 1>(int)", "convolutions")]
    [InlineData("void at::native::reduce_kernel<512, 1>(at::native::ReduceOp<float>)", "reductions and norms")]
    [InlineData("flow_add_normalise", "own kernels")]
    [InlineData("copy device to host", "copies and fills")]
    [InlineData("Something::Else", "other")]
    public void Kernels_have_classes(string symbol, string kind) => Assert.Equal(kind, KernelNames.Class(KernelNames.Short(symbol)));

    [Fact]
    public void Names_are_shortened()
    {
        Assert.Equal("elementwise_kernel<4, (lambda(int)#1)>",
            KernelNames.Short("void at::native::elementwise_kernel<4, (lambda(int)#1)>(int, float (*)(int))"));
        Assert.Equal("project_16", KernelNames.Short("project_16"));
        Assert.Equal("cudaGraphLaunch", KernelNames.WithoutVersion("cudaGraphLaunch_v10000"));
        Assert.Equal("cuLaunchKernelEx", KernelNames.WithoutVersion("cuLaunchKernelEx"));
        if (OperatingSystem.IsLinux())
            Assert.Equal("vectorized_elementwise_kernel<4, CUDAFunctor_add<float>, array<char*, 3ul>>", KernelNames.Short(
                "_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_15CUDAFunctor_addIfEESt5arrayIPcLm3EEEEviT0_T1_"));
    }

    [Fact]
    public void A_timeline_tells_of_each_chunk_what_was_done_for_it()
    {
        var timeline = new RequestTimeline();
        timeline.AddStep("encode", 0.5, 1);
        timeline.AddStep("language", 1, 3);
        timeline.AddStep("language", 3, 4);
        timeline.AddRows(3, 1);
        timeline.AddRows(4, 1);
        timeline.AddStep("decode", 5, 9);
        timeline.AddFrames(8.5, 50);
        timeline.AddStep("decode", 9.5, 12);
        timeline.AddChunk(12.5, 11.9, 25, 1);
        timeline.AddStep("decode", 12.1, 14);
        timeline.AddFrames(13, 100);
        timeline.AddChunk(15, 14.5, 50, 2);
        Assert.Equal(
            """
            == one streamed request, ms since it was made
                 0.00  request in
                 1.00  encode: done, 0.50 ms of work
                 1.00  language: the prompt's step begins
                 3.00  language: done, 2.00 ms
                 4.00  language: last of 2 steps
                 5.00  decode: chunk 1 begins; the language model has gone 2 steps
                 8.50  decode: chunk 1, flow done, 50 frames
                12.00  decode: chunk 1 done, 2 parts, 6.50 ms of work, 0.50 ms beside it
                12.10  decode: chunk 2 begins; the language model has gone 2 steps
                12.50  chunk 1 here: 25 tokens, 1.00 s of audio; made at 11.90
                12.50  language: 2 steps in the meantime, 3.00 ms of work, 2.00 ms at the median
                13.00  decode: chunk 2, flow done, 100 frames
                14.00  decode: chunk 2 done, 1 parts, 1.90 ms of work, 0.00 ms beside it
                15.00  chunk 2 here: 50 tokens, 2.00 s of audio; made at 14.50


            """.ReplaceLineEndings("\n"), timeline.ToString());
    }

    private static string Words(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static DeviceActivity Activity(string name, long start, long end, uint device = 0, uint stream = 0, uint graph = 0,
        uint correlation = 0) => new(name, start, end, device, stream, correlation, graph, 0);
}
