using LightTts.Benchmarks.Paced;
using LightTts.Tests.Server;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Benchmarks;

/// <summary>What the load generator says of listeners who play in real time.</summary>
public class PacedLoadTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Playback_runs_dry_only_where_a_chunk_comes_after_the_last_sample_was_played()
    {
        var playback = new Playback(sampleRate: 100);
        playback.Add(Second, 100); // plays until 2
        playback.Add(Second * 1.5, 50); // until 2.5
        playback.Add(Second * 2.5, 100); // at the last moment: until 3.5
        Assert.Equal((0, Second), (playback.Underruns, playback.Left(Second * 2.5)));
        playback.Add(Second * 3.75, 25); // a quarter of a second late: until 4
        Assert.Equal((1, Second * 0.25, Second * 2.75), (playback.Underruns, playback.Stalled, playback.Audio));
        Assert.Equal((Second * 0.1, TimeSpan.Zero), (playback.Left(Second * 3.9), playback.Left(Second * 5)));
    }

    [Theory]
    [InlineData(1, 64, 5, 5)]
    [InlineData(16, 512, 3, 3)]
    [InlineData(16, 64, 1000, 64)]
    [InlineData(8, 64, 0, 0)]
    [InlineData(16, 512, 205, 200)] // to a sixteenth
    public async Task The_largest_number_that_holds_is_found_in_few_trials(int first, int most, int truth, int found)
    {
        var trials = 0;
        Assert.Equal(found, await LargestThatHolds.FindAsync(first, most, number =>
        {
            trials++;
            return Task.FromResult(number <= truth);
        }));
        Assert.InRange(trials, 1, 10);
    }

    [Fact]
    public async Task A_listener_hears_out_what_it_asked_for_before_it_asks_again()
    {
        var time = new FakeTimeProvider();
        var asked = new List<TimeSpan>();
        var load = Load(time, asked, firstAudio: Second / 10, between: TimeSpan.Zero);
        // Two seconds of audio and a pause of at most half a second: every 2.1 to 2.6 s.
        var row = await PumpAsync(time, () => load.ListenAsync(1, TimeSpan.Zero, Second * 60, CancellationToken.None));
        Assert.InRange(row.Requests, 23, 29);
        Assert.All(asked.Zip(asked.Skip(1)), pair => Assert.InRange((pair.Second - pair.First).TotalSeconds, 2.1, 2.7));
        Assert.Equal((0, 0, 0), (row.Underruns, row.Failures, row.StalledSeconds));
        Assert.InRange(row.FirstAudioMsP99, 100, 120);
        Assert.True(row.Holds(300));
        Assert.False(row.Holds(50));
    }

    [Fact]
    public async Task Late_chunks_are_gaps_and_what_was_asked_within_the_ramp_does_not_count()
    {
        var time = new FakeTimeProvider();
        var asked = new List<TimeSpan>();
        var load = Load(time, asked, firstAudio: Second / 10, between: Second * 1.5);
        var row = await PumpAsync(time, () => load.ListenAsync(4, Second * 10, Second * 30, CancellationToken.None));
        Assert.InRange(row.Requests, 1, asked.Count - 4);
        // Half a second of silence each; the last ones may have been cut off before it.
        Assert.InRange(row.Underruns, row.Requests - 4, row.Requests);
        Assert.InRange(row.StalledSeconds / row.Underruns, 0.5, 0.55);
        Assert.False(row.Holds(300));
    }

    [Fact]
    public async Task An_open_loop_asks_at_its_rate_whatever_is_served()
    {
        var time = new FakeTimeProvider();
        var asked = new List<TimeSpan>();
        var load = Load(time, asked, firstAudio: Second * 5, between: TimeSpan.Zero);
        var row = await PumpAsync(time, () => load.ArriveAsync(4, Second * 100, CancellationToken.None));
        Assert.InRange(row.Requests, 330, 470); // 400 on average, 20 their standard deviation
        Assert.InRange(row.FirstAudioMsP50, 5000, 5100); // also of those who asked just before the end
        Assert.Equal(0, row.Failures);
    }

    [Fact]
    public async Task Refused_requests_are_failures_and_the_listener_goes_on()
    {
        var time = new FakeTimeProvider();
        var pipeline = new StubPipeline { Speak = (_, _) => throw new TtsQueueFullException(1) };
        var told = 0;
        var load = new PacedLoad(pipeline, time, (_, _) => new SynthesisRequest { Text = "Hello." }) { Failed = _ => Interlocked.Increment(ref told) };
        var row = await PumpAsync(time, () => load.ListenAsync(2, TimeSpan.Zero, Second * 10, CancellationToken.None));
        Assert.InRange(row.Requests, 30, 200);
        Assert.Equal((row.Requests, row.Requests), (row.Failures, told));
        Assert.True(double.IsNaN(row.FirstAudioMsP99));
        Assert.False(row.Holds(300));
    }

    private static PacedLoad Load(FakeTimeProvider time, List<TimeSpan> asked, TimeSpan firstAudio, TimeSpan between)
    {
        var began = time.GetTimestamp();
        async IAsyncEnumerable<float[]> Speak()
        {
            asked.Add(time.GetElapsedTime(began));
            await Task.Delay(firstAudio, time);
            for (var i = 0; i < 2; i++)
            {
                if (i > 0 && between > TimeSpan.Zero)
                    await Task.Delay(between, time);
                yield return new float[24_000];
            }
        }
        return new PacedLoad(new StubPipeline { Speak = (_, _) => Speak() }, time, (_, _) => new SynthesisRequest { Text = "Hello." });
    }

    // Time goes on as long as somebody waits for it.
    private static Task<PacedRow> PumpAsync(FakeTimeProvider time, Func<Task<PacedRow>> start) => Task.Run(async () =>
    {
        // Outside of the test's synchronisation context, so that whoever waits goes on within Advance.
        var load = start();
        while (!load.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
        return await load;
    });
}
