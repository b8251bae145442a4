using System.Net.WebSockets;
using LightTts.Benchmarks.ServeLoad;

namespace LightTts.Tests.Server;

/// <summary>The load generator's client against this server, and the numbers that it makes of what it saw.</summary>
public class ServeLoadTests
{
    [Theory]
    [InlineData("Whole")]
    [InlineData("Stream")]
    [InlineData("BiStream")]
    public async Task A_call_measures_the_audio_that_the_server_sent(string mode)
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks(new float[12_000], new float[24_000]) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:ApiKeys:0:Name=one", "--Server:ApiKeys:0:Key=1111111111111111");
        using var call = new SpeechCall(server.Addresses[0], TestServer.Voice(), "What it says.", "1111111111111111", reuse: false);
        var result = await call.SpeakAsync(Enum.Parse<ServeMode>(mode), "Good morning to you.", CancellationToken.None);
        Assert.Equal(1.5, result.Audio);
        Assert.InRange(result.FirstAudio, double.Epsilon, result.Cost);
        Assert.Equal(result.Cost / 1.5, result.RealTimeFactor);
        var spoken = mode == "BiStream" ? string.Concat(pipeline.Text) : pipeline.Requests[^1].Text;
        Assert.Equal("Good morning to you.", spoken);
    }

    [Fact]
    public async Task Processor_time_is_the_servers_own_where_it_tells()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var call = new SpeechCall(server.Addresses[0], [], "", null, reuse: true);
        Assert.InRange((await call.ProcessorSecondsAsync(CancellationToken.None))!.Value, double.Epsilon,
            Environment.CpuUsage.TotalTime.TotalSeconds + 1); // its process is this one, and the two clocks differ a little
        using var nobody = new SpeechCall(new Uri("http://127.0.0.1:1"), [], "", null, reuse: true);
        Assert.Null(await nobody.ProcessorSecondsAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Whatever_is_no_audio_is_an_error()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline { Speak = (_, _) => throw new TtsSynthesisException("no") });
        using var call = new SpeechCall(server.Addresses[0], TestServer.Voice(), "What it says.", null, reuse: true);
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => call.SpeakAsync(ServeMode.Whole, "Hi.", CancellationToken.None));
        Assert.StartsWith("417 ", refused.Message, StringComparison.Ordinal);
        var told = await Assert.ThrowsAsync<WebSocketException>(() => call.SpeakAsync(ServeMode.BiStream, "Hi.", CancellationToken.None));
        Assert.Contains("Server error: ", told.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() => call.SpeakAsync(ServeMode.Whole, "...", CancellationToken.None)); // an empty success
    }

    [Fact]
    public async Task The_librarys_own_call_measures_the_same_audio()
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks(new float[12_000], new float[24_000]) };
        var timbre = await pipeline.Timbres.AddAsync(AudioClip.FromWav(new MemoryStream(TestServer.Voice())), "What it says.");
        var call = new LibraryCall(pipeline, timbre);
        foreach (var mode in new[] { "Whole", "Stream", "BiStream" })
            Assert.Equal(1.5, (await call.SpeakAsync(Enum.Parse<ServeMode>(mode), "Good morning to you.", CancellationToken.None)).Audio);
        Assert.Equal("Good morning to you. ", string.Concat(pipeline.Text));
        Assert.All(pipeline.Requests, request => Assert.Same(timbre, request.Timbre));
    }

    [Fact]
    public async Task The_cost_of_HTTP_is_the_median_of_pairs_after_a_warm_one()
    {
        var calls = new List<bool>();
        var cost = await HttpCost.MeasureAsync(ServeMode.Whole, 1, 3, http =>
        {
            calls.Add(http);
            var pair = (calls.Count - 1) / 2; // 0 is the warm one
            return Task.FromResult(ServeLoadRow.Create(ServeMode.Whole, 1, http ? 10 + pair : 10, [new CallResult(1, 1, 8)], []) with
            {
                ProcessorSeconds = http ? 8 - pair : 4,
            });
        });
        Assert.Equal([true, false, false, true, true, false, false, true], calls);
        Assert.Equal([1.1, 1.2, 1.3], cost.Times);
        Assert.Equal([1.75, 1.5, 1.25], cost.ProcessorTimes);
        Assert.Equal(1.5, HttpCost.Median(cost.ProcessorTimes));
        Assert.EndsWith("in 3 rounds: time 1.200 (1.100 to 1.300), processor time 1.500 (1.250 to 1.750)", cost.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() => HttpCost.MeasureAsync(ServeMode.Whole, 1, 1, _ =>
            Task.FromResult(ServeLoadRow.Create(ServeMode.Whole, 1, 1, [], ["busy"]))));
    }

    [Fact]
    public void Rows_are_what_was_measured()
    {
        var good = Enumerable.Range(1, 100).Select(i => new CallResult(i, i / 2.0, 2)).ToList();
        var row = ServeLoadRow.Create(ServeMode.Stream, 8, 50, good, ["busy", "busy"]);
        Assert.Equal((102, 2, 2.0, 200.0), (row.Requests, row.Errors, row.Qps, row.AudioSeconds));
        Assert.Equal(new Percentiles(50, 90, 95, 99), row.Cost);
        Assert.Equal(new Percentiles(25, 45, 47.5, 49.5), row.FirstAudio);
        Assert.Equal(25.25, row.RtfMean);
        Assert.Equal(2, row.ErrorMessages["busy"]);
        Assert.True(double.IsNaN(ServeLoadRow.Create(ServeMode.Whole, 1, 1, [], ["gone"]).Cost.P50));
        Assert.Equal(new Percentiles(7, 7, 7, 7), Percentiles.Of([7]));
    }
}
