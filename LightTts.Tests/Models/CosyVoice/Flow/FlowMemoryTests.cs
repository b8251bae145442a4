using LightTts.Models.CosyVoice.Flow;
using LightTts.Tests.Support;
using LightTts.Timbres;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>When the flow's memory is short: who gives pages up, who gets some again, and that nobody's audio changes.</summary>
public sealed class FlowMemoryTests
{
    private const double Tolerance = 1e-4;
    private const int Steps = 2;
    private const long PageBytes = 50 * 4L * 7 * 4 * 64 * 4; // the embedded voice's: a chunk's frames of 7 layers of 4 heads

    [Fact]
    public void Who_runs_dry_last_gives_its_pages_up_first_and_gets_others_when_there_are_some()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(8 * PageBytes));
        Stream a = new(flow, 1, 10, 150, 1), b = new(flow, 2, 10, 150, 2), c = new(flow, 3, 10, 150, 3);
        foreach (var stream in (Stream[])[a, b, c])
            stream.Feed(18); // to token 25: a page a step
        a.Feed(25);
        Assert.Equal((8, 0), Pages(flow));
        b.Feed(25);
        Assert.Equal((FlowCachePolicy.Cached, FlowCachePolicy.Cached, FlowCachePolicy.Recompute), (a.Policy, b.Policy, c.Policy));
        a.Feed(25);
        Assert.Equal((FlowCachePolicy.Cached, FlowCachePolicy.Recompute), (a.Policy, b.Policy));
        Assert.Equal((6, 2), Pages(flow));
        a.Finish();
        Assert.Equal((0, 8), Pages(flow));

        var before = c.State.FramesComputed;
        c.Feed(50);
        Assert.Equal(FlowCachePolicy.Cached, c.Policy);
        Assert.Equal(before + 150, c.State.FramesComputed);
        c.Feed(25);
        Assert.Equal(before + 150 + 50, c.State.FramesComputed); // nothing twice any more
        b.Finish();
        c.Finish();
        Assert.Equal((0, 8), Pages(flow));
        foreach (var stream in (Stream[])[a, b, c])
            stream.AssertIsItsReference();
    }

    [Fact]
    public void Who_has_the_most_audio_ahead_takes_nothing_from_others()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(4 * PageBytes));
        Stream urgent = new(flow, 1, 10, 80, 1), patient = new(flow, 2, 10, 80, 2);
        urgent.Feed(43);
        patient.Feed(18);
        Assert.Equal((FlowCachePolicy.Cached, FlowCachePolicy.Recompute), (urgent.Policy, patient.Policy));
        patient.Finish();
        urgent.Finish();
        patient.AssertIsItsReference();
        urgent.AssertIsItsReference();
    }

    [Fact]
    public void A_stream_whose_pass_is_open_keeps_its_pages()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(4 * PageBytes));
        Stream busy = new(flow, 1, 10, 80, 9), urgent = new(flow, 2, 10, 80, 1);
        busy.Feed(18);
        using (var pass = busy.Begin(25))
        {
            pass.Advance();
            urgent.Feed(18);
            Assert.Equal((FlowCachePolicy.Cached, FlowCachePolicy.Recompute), (busy.Policy, urgent.Policy));
            while (pass.Advance())
            {
            }
        }
        busy.Finish();
        urgent.Finish();
        busy.AssertIsItsReference();
        urgent.AssertIsItsReference();
    }

    [Fact]
    public void Prompts_that_nobody_speaks_with_make_room_before_any_stream()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(8 * PageBytes, 8 * PageBytes));
        Stream patient = new(flow, 1, 10, 80, 9), urgent = new(flow, 3, 54, 80, 1);
        patient.Feed(18);
        flow.Start(Flows.Timbre(2, 54), streaming: true, Steps).Dispose(); // 100 frames of its prompt stay
        Assert.Equal((6, 2), Pages(flow)); // the urgent stream's prompt does not find room beside both
        Assert.True(flow.PrefixBytes > 0);
        urgent.Feed(30);
        Assert.Equal((FlowCachePolicy.Cached, FlowCachePolicy.Cached), (patient.Policy, urgent.Policy));
        urgent.Finish();
        patient.Finish();
        urgent.AssertIsItsReference();
        patient.AssertIsItsReference();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(24)]
    [InlineData(60)]
    public void With_whatever_room_every_stream_is_its_reference(int pages)
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(pages * PageBytes));
        var random = new Random(pages);
        List<Stream> streams = [.. Enumerable.Range(0, 6).Select(i => new Stream(flow, i % 4, 20 + 17 * (i % 4), 90 + 20 * i, i))];
        var open = streams.ToList();
        while (open.Count > 0)
        {
            var stream = open[random.Next(open.Count)];
            stream.State.Deadline += TimeSpan.FromSeconds(random.NextDouble());
            if (stream.Left > 60)
                stream.Feed(random.Next(1, 60));
            else
                stream.Finish();
            if (stream.Left == 0)
                open.Remove(stream);
            Assert.InRange(flow.MemoryInUse.InUse, 0, pages * PageBytes);
        }
        Assert.Equal(0, flow.CacheBytes);
        foreach (var stream in streams)
            stream.AssertIsItsReference();
    }

    private static (long InUse, long Free) Pages(FlowModel flow)
    {
        var inUse = flow.MemoryInUse.InUse / PageBytes;
        return (inUse, flow.Estimator.Pages!.Capacity - inUse);
    }

    /// <summary>A listener's utterance.</summary>
    private sealed class Stream
    {
        private readonly FlowModel _flow;
        private readonly TimbreFeatures _voice;
        private readonly int[] _tokens;
        private readonly List<Tensor> _mels = [];
        private readonly List<FlowRow> _rows = [];
        private int _at;

        public Stream(FlowModel flow, int voice, int prompt, int tokens, double deadline)
        {
            _flow = flow;
            _voice = Flows.Timbre(voice, prompt);
            _tokens = Flows.Tokens(new Random(voice), tokens);
            State = flow.CreateState(_voice, streaming: true, Steps);
            State.Deadline = TimeSpan.FromSeconds(deadline);
        }

        public FlowState State { get; }

        public FlowCachePolicy Policy => State.Policy;

        public int Left => _tokens.Length - _at;

        public FlowPass Begin(int count, bool final = false)
        {
            if (_rows.Count == 0)
                _flow.BeginPrompt(State).Finish();
            _rows.Add(new FlowRow { State = State, Tokens = _tokens.AsMemory(_at, count), Final = final });
            _at += count;
            return _flow.Begin([_rows[^1]]);
        }

        public void Feed(int count) => Begin(count).Finish();

        public void Finish()
        {
            Begin(Left, final: true).Finish();
            State.Dispose();
        }

        public void AssertIsItsReference()
        {
            foreach (var row in _rows)
            {
                Assert.Null(row.Error);
                if (row.Mel is { } mel)
                    _mels.Add(mel);
            }
            using var roomy = Flows.TinyEn();
            using var state = roomy.Start(_voice, streaming: true, Steps);
            Flows.Near(roomy.Run(state, _tokens, final: true)!, cat(_mels, 2), Tolerance);
        }
    }
}
