namespace LightTts.Benchmarks.Paced;

/// <summary>Listeners as people are: each hears out what it asked for, in real time, before it asks again.</summary>
/// <param name="pipeline">What they listen to.</param>
/// <param name="time">Whose time is real.</param>
/// <param name="ask">The nth thing that a listener asks for.</param>
internal sealed class PacedLoad(ITtsPipeline pipeline, TimeProvider time, Func<int, int, SynthesisRequest> ask)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60); // in which those who asked before the end must get an answer

    /// <summary>Told why a request failed, from any thread.</summary>
    public Action<Exception>? Failed { get; init; }

    /// <summary>A fixed number of listeners. They begin at random moments of the ramp; what is asked for within it does not count.</summary>
    public async Task<PacedRow> ListenAsync(int listeners, TimeSpan ramp, TimeSpan duration, CancellationToken cancellation)
    {
        var tally = new PacedTally();
        var started = time.GetTimestamp();
        using var run = new Run(time, ramp + duration, cancellation);
        await Task.WhenAll(Enumerable.Range(0, listeners).Select(async listener =>
        {
            var random = new Random(listener);
            await run.Wait(random.NextDouble() * ramp);
            for (var turn = 0; !run.IsOver; turn++)
            {
                var counts = time.GetElapsedTime(started) >= ramp;
                var left = await HearAsync(ask(listener, turn), counts ? tally : null, run);
                await run.Wait(left + random.NextDouble() * LongestPause);
            }
        }));
        cancellation.ThrowIfCancellationRequested();
        return tally.Row("paced", listeners, duration);
    }

    /// <summary>Requests that come at random, however many are served already: an open loop.</summary>
    /// <param name="rate">Requests a second, on average; the gaps between them are drawn from an exponential distribution.</param>
    /// <param name="duration">How long they come.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<PacedRow> ArriveAsync(double rate, TimeSpan duration, CancellationToken cancellation)
    {
        var tally = new PacedTally();
        var random = new Random(1);
        var started = time.GetTimestamp();
        using var run = new Run(time, duration, cancellation);
        List<Task> hearing = [];
        var next = TimeSpan.Zero;
        while (true)
        {
            next += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / rate);
            // Until a moment, not for a time: being late once must not slow all that follow.
            if (next - time.GetElapsedTime(started) is var gap && gap > TimeSpan.Zero)
                await run.Wait(gap);
            if (run.IsOver)
                break;
            hearing.Add(HearAsync(ask(hearing.Count, 0), tally, run));
        }
        await Task.WhenAll(hearing);
        cancellation.ThrowIfCancellationRequested();
        return tally.Row("poisson", rate, duration);
    }

    /// <returns>What is still to be played when the last chunk has come.</returns>
    private async Task<TimeSpan> HearAsync(SynthesisRequest request, PacedTally? tally, Run run)
    {
        var started = time.GetTimestamp();
        var playback = new Playback(pipeline.Model.SampleRate);
        TimeSpan? first = null;
        var failed = false;
        try
        {
            await foreach (var chunk in pipeline.SynthesizeAsync(request, run.Abort))
            {
                var now = time.GetElapsedTime(started);
                first ??= now;
                playback.Add(now, chunk.Samples.Length);
                if (run.IsOver)
                    break; // heard at least its first audio
            }
        }
        catch (Exception e) when (e is TtsException or OperationCanceledException)
        {
            failed = true;
            Failed?.Invoke(e);
        }
        tally?.Add(first, playback, failed);
        return playback.Left(time.GetElapsedTime(started));
    }

    /// <summary>The time that a load takes: after it nobody asks again, and a while later whoever waits gives up.</summary>
    private sealed class Run : IDisposable
    {
        private readonly TimeProvider _time;
        private readonly CancellationTokenSource _end;
        private readonly CancellationTokenSource _late;
        private readonly CancellationTokenSource _over;
        private readonly CancellationTokenSource _abort;

        public Run(TimeProvider time, TimeSpan length, CancellationToken cancellation)
        {
            _time = time;
            _end = new CancellationTokenSource(length, time);
            _late = new CancellationTokenSource(length + Grace, time);
            _over = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, cancellation);
            _abort = CancellationTokenSource.CreateLinkedTokenSource(_late.Token, cancellation);
        }

        public bool IsOver => _over.IsCancellationRequested;

        public CancellationToken Abort => _abort.Token;

        /// <summary>Waits, but not beyond the end.</summary>
        public async Task Wait(TimeSpan span) =>
            await Task.Delay(span, _time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        public void Dispose()
        {
            _over.Dispose();
            _abort.Dispose();
            _end.Dispose();
            _late.Dispose();
        }
    }
}
