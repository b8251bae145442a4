using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Pipeline;

public class DecodeSchedulerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeWorld _world = new();
    private long _lastId;

    [Fact]
    public void A_newcomer_goes_ahead_between_the_parts_of_a_long_pass_and_the_pass_goes_on_afterwards()
    {
        var decoder = new FakeDecoder(_world, maxRows: 1, parts: 3);
        var scheduler = new DecodeScheduler(decoder);
        var listening = Listening(decoder, seconds: 0.5);
        var work = scheduler.Choose([listening])!;
        Assert.True(work.Advance(decoder));
        var newcomer = Item(decoder);
        var first = scheduler.Choose([listening, newcomer])!;
        Assert.Equal([newcomer], first.Items);
        Assert.Equal(2, scheduler.Open.Count);
        Finish(scheduler, decoder, first);
        Assert.Same(work, scheduler.Choose([listening, newcomer]));
        Finish(scheduler, decoder, work);
        Assert.Empty(scheduler.Open);
        Assert.Equal(0, _world.OpenPasses);
    }

    [Fact]
    public void Who_runs_dry_well_before_the_others_overtakes_and_who_does_not_waits()
    {
        var decoder = new FakeDecoder(_world, maxRows: 1, parts: 3);
        var scheduler = new DecodeScheduler(decoder);
        var ahead = Listening(decoder, seconds: 3.5);
        var work = scheduler.Choose([ahead])!;
        var close = Listening(decoder, seconds: 3);
        Assert.Same(work, scheduler.Choose([ahead, close]));
        var dry = Listening(decoder, seconds: 0.5);
        Assert.Equal([dry], scheduler.Choose([ahead, close, dry])!.Items);
    }

    [Fact]
    public void No_more_passes_are_open_than_the_decoder_bears()
    {
        var decoder = new FakeDecoder(_world, maxRows: 1, parts: 3, maxOpenPasses: 1);
        var scheduler = new DecodeScheduler(decoder);
        var listening = Listening(decoder, seconds: 0.5);
        var work = scheduler.Choose([listening])!;
        Assert.Same(work, scheduler.Choose([listening, Item(decoder)]));
        Assert.Single(scheduler.Open);
    }

    [Fact]
    public void Newcomers_share_a_pass_and_what_can_wait_is_not_in_it()
    {
        var decoder = new FakeDecoder(_world, maxRows: 4);
        DecodeItem[] items = [Listening(decoder, seconds: 0.5), Item(decoder), Item(decoder)];
        Assert.Equal(items[1..], new DecodeScheduler(decoder).Choose(items)!.Items);
    }

    /// <summary>Where a pass costs nearly nothing of its own, newcomers go one after the other; where it costs as much as nine of them,
    /// together.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 4)]
    [InlineData(9, 9)]
    public void Newcomers_go_together_as_far_as_passes_cost_more_than_they(int fixedMilliseconds, int together)
    {
        var decoder = new FakeDecoder(_world, maxRows: 16);
        var scheduler = new DecodeScheduler(decoder);
        Teach(scheduler.Costs, fixedMilliseconds, each: 1.0 / 8);
        DecodeItem[] items = [.. Enumerable.Range(0, 9).Select(_ => Item(decoder))];
        Assert.Equal(items[..together], scheduler.Choose(items)!.Items);
    }

    /// <summary>A pass ends before the first of its listeners runs dry, where it can; where it cannot, everybody is in it.</summary>
    [Theory]
    [InlineData(0.5, 3)]
    [InlineData(0.05, 6)]
    [InlineData(2, 6)]
    public void Who_would_run_dry_during_a_large_pass_gets_a_smaller_one(double ahead, int rows)
    {
        var decoder = new FakeDecoder(_world, maxRows: 16);
        var scheduler = new DecodeScheduler(decoder);
        Teach(scheduler.Costs, fixedMilliseconds: 50, each: 5); // rows of 24 tokens: 0.17 s for one, 0.12 s for each further one
        DecodeItem[] items = [.. Enumerable.Range(0, 6).Select(_ => Listening(decoder, ahead))];
        Assert.Equal(items[..rows], scheduler.Choose(items)!.Items);
    }

    /// <summary>Of a batch, a pass takes a part of the time that is left, and in any case so much that its fixed part is a sixth of it: others run
    /// dry, too, and newcomers overtake.</summary>
    [Theory]
    [InlineData(1, 1)]     // 0.3 s: that is what the fixed part asks for, too
    [InlineData(0.05, 1)]
    [InlineData(2, 3)]     // 0.6 s
    [InlineData(20, 5)]    // 0.8 s, with a sixteenth of fixed part
    public void A_batch_ends_well_before_its_first_listener_runs_dry(double ahead, int rows)
    {
        var decoder = new FakeDecoder(_world, maxRows: 16) { IsBatched = true };
        var scheduler = new DecodeScheduler(decoder);
        Teach(scheduler.Costs, fixedMilliseconds: 50, each: 6.2); // rows of 24 tokens: 0.2 s for one, 0.15 s for each further one
        DecodeItem[] items = [.. Enumerable.Range(0, 6).Select(_ => Listening(decoder, ahead))];
        Assert.Equal(items[..rows], scheduler.Choose(items)!.Items);
    }

    /// <summary>Where passes are short, whoever is about to run dry goes before a newcomer, who goes before all others.</summary>
    [Theory]
    [InlineData(0.1, true)]
    [InlineData(0.5, false)]
    public void A_gap_is_worse_than_a_moment_of_waiting(double ahead, bool listenerFirst)
    {
        var decoder = new FakeDecoder(_world, maxRows: 4) { IsBatched = true };
        DecodeItem[] items = [Listening(decoder, ahead, isPatient: true), Item(decoder, isPatient: true)];
        Assert.Equal([items[listenerFirst ? 0 : 1]], new DecodeScheduler(decoder).Choose(items)!.Items);
        items = [Listening(decoder, ahead), Item(decoder)];
        Assert.Equal([items[1]], new DecodeScheduler(decoder).Choose(items)!.Items);
    }

    /// <summary>A first chunk that is over before the second can be there waits for one chunk more, where tokens come faster than they are
    /// heard.</summary>
    [Theory]
    [InlineData(1, 200, false)]  // 0.32 s of audio; 5 more tokens take 5 ms, a pass 0.2 s
    [InlineData(20, 200, false)] // 0.1 s more for the tokens: still less
    [InlineData(30, 200, true)]  // 0.15 s more
    [InlineData(60, 200, false)] // slower than they are heard
    [InlineData(1, 400, true)]
    public void A_first_chunk_is_as_long_as_the_second_takes(int tokenMilliseconds, int passMilliseconds, bool waits)
    {
        var decoder = new FakeDecoder(_world);
        var scheduler = new DecodeScheduler(decoder);
        for (var i = 0; i < 40; i++)
            scheduler.Costs.Record(8 + 8 * (i % 5), TimeSpan.FromMilliseconds(passMilliseconds));
        var item = Item(decoder);
        item.Arrived(1);
        _time.Advance(TimeSpan.FromMilliseconds(8 * tokenMilliseconds));
        item.Arrived(7);
        Assert.Equal(waits, scheduler.Choose([item]) is null);
        item.Pending.AddRange(new int[5]);
        item.Arrived(5);
        var work = scheduler.Choose([item])!;
        Assert.Equal(waits ? 13 : 8, work.Rows![0].Tokens.Length);
    }

    private static void Teach(PassCosts costs, double fixedMilliseconds, double each)
    {
        for (var i = 0; i < 40; i++)
            costs.Record(8 + 8 * (i % 5), TimeSpan.FromMilliseconds(fixedMilliseconds + each * (8 + 8 * (i % 5))));
        Assert.True(costs.AreKnown);
    }

    [Fact]
    public void One_prompt_is_computed_at_a_time_after_newcomers_that_can_be_served()
    {
        var decoder = new FakeDecoder(_world, maxRows: 1, parts: 2) { PromptParts = 2 };
        var scheduler = new DecodeScheduler(decoder);
        var (one, two, ready) = (Item(decoder, prepared: false), Item(decoder, prepared: false), Item(decoder));
        Assert.True(scheduler.TryBeginPrompt(one));
        Assert.False(scheduler.TryBeginPrompt(two));
        var work = scheduler.Choose([one, two, ready])!;
        Assert.Equal([ready], work.Items);
        Finish(scheduler, decoder, work);
        work = scheduler.Choose([one, two])!;
        Assert.Null(work.Rows);
        Finish(scheduler, decoder, work);
        Assert.True(scheduler.TryBeginPrompt(two));
    }

    private static void Finish(DecodeScheduler scheduler, FakeDecoder decoder, DecodeWork work)
    {
        while (work.Advance(decoder))
        {
        }
        scheduler.Close(work);
    }

    /// <summary>Somebody who has so much audio ahead, and enough tokens for more.</summary>
    private DecodeItem Listening(FakeDecoder decoder, double seconds, bool isPatient = false)
    {
        var item = Item(decoder, isPatient: isPatient);
        item.Utterance.Job.Emit(new AudioChunk
        {
            Samples = new float[(int)(seconds * decoder.SampleRate)], SampleRate = decoder.SampleRate, Index = 0, Start = default, SentenceIndex = 0,
                TextRange = 0..0,
            SpeechTokens = default, Elapsed = default, IsLast = false,
        });
        item.Pending.AddRange(new int[40]);
        return item;
    }

    private DecodeItem Item(FakeDecoder decoder, bool prepared = true, bool isPatient = false)
    {
        var job = new SynthesisJob(++_lastId, new SynthesisRequest(), FakeEngine.Voice, 1, 5, 10_000, _time, () => { }, _ => { })
        {
            Style = new LanguageStyle("fake", new FakeLanguageModel(new FakeWorld())),
        };
        var item = new DecodeItem(new Utterance(job, 0, new TextPiece("", [], 0..0))) { State = decoder.CreateState(job.Timbre, job.Decode),
            NeedsPrompt = !prepared, IsPatient = isPatient };
        item.Pending.AddRange(new int[8]);
        return item;
    }
}
