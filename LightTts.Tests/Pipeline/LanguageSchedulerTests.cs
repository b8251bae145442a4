using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline;

public class LanguageSchedulerTests
{
    private const int BlockSize = 16;

    private readonly FakeWorld _world = new();
    private readonly FakeLanguageModel _model;
    private readonly LanguageScheduler _scheduler;
    private long _lastId;

    public LanguageSchedulerTests()
    {
        _model = new FakeLanguageModel(_world, blocks: 8, new LanguageLimits(4, 64));
        _scheduler = new LanguageScheduler(_model, 100, 5, NullLogger.Instance);
    }

    [Fact]
    public void A_sequence_whose_consumer_does_not_read_gives_its_blocks_to_one_that_waits()
    {
        var idle = Create(5 * BlockSize);
        Step(idle);
        Fill(idle);
        var newcomer = Create(5 * BlockSize);
        Assert.Equal([newcomer], _scheduler.Choose([idle, newcomer]));
        Assert.Equal(0, idle.Length);
    }

    [Fact]
    public void A_sequence_that_runs_keeps_its_blocks_from_one_that_waits()
    {
        var running = Create(5 * BlockSize);
        Step(running);
        Assert.Equal([running], _scheduler.Choose([running, Create(5 * BlockSize)]));
        Assert.True(running.Length > 0);
    }

    [Fact]
    public void One_that_does_not_fit_yet_is_not_overtaken_by_smaller_ones_that_came_later()
    {
        var running = Create(5 * BlockSize);
        Step(running);
        Assert.Equal([running], _scheduler.Choose([running, Create(4 * BlockSize), Create(4)]));
    }

    [Fact]
    public void Idle_ones_are_not_preempted_where_that_would_not_be_enough()
    {
        var running = Create(4 * BlockSize);
        Step(running);
        var idle = Create(2 * BlockSize);
        Step(idle);
        Fill(idle);
        Assert.Equal([running], _scheduler.Choose([running, idle, Create(6 * BlockSize)]));
        Assert.True(idle.Length > 0);
    }

    [Theory]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)] // nobody's first audio is decoded
    [InlineData(false, true, true)] // a device computes both
    public void While_first_audio_is_decoded_those_for_whom_it_is_early_sit_out(bool yields, bool decodesFirstAudio, bool goesOn)
    {
        var model = new FakeLanguageModel(_world, blocks: 8, new LanguageLimits(4, 64, YieldsToFirstAudio: yields));
        var scheduler = new LanguageScheduler(model, 100, 5, NullLogger.Instance);
        var (early, urgent) = (Create(4, model), Create(4, model));
        early.Job.AddTokensWaiting(7); // a chunk of five, and half of one
        urgent.Job.AddTokensWaiting(6);
        Assert.Equal(goesOn ? [early, urgent] : [urgent], scheduler.Choose([early, urgent], decodesFirstAudio));
    }

    [Fact]
    public void Suspects_are_tried_one_at_a_time()
    {
        var first = Create(4);
        var second = Create(4);
        first.IsSuspect = second.IsSuspect = true;
        Assert.Equal([first], _scheduler.Choose([Create(4), first, second]));
    }

    [Fact]
    public void Alone_a_giant_prompt_goes_in_pieces()
    {
        var model = new FakeLanguageModel(new FakeWorld(), 1024, new LanguageLimits(16, 32));
        var scheduler = new LanguageScheduler(model, 100, 5,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var giant = Create(5000, model);
        List<int> pieces = [];
        while (giant.Stream.Pending.Length > 1)
        {
            Assert.Equal([giant], scheduler.Choose([giant]));
            pieces.Add(giant.Row!.Inputs.Length);
            model.Launch([giant.Row]);
            model.Collect();
            if (giant.Row.Draw is null)
                giant.Stream.Advance(giant.Row.Inputs.Length);
            else
                giant.Stream.Accept(giant.Row.Token);
        }
        Assert.Equal([1024, 1024, 1024, 1024, 904], pieces);
    }

    private LanguageSequence Create(int positions) => Create(positions, _model);

    private LanguageSequence Create(int positions, FakeLanguageModel model)
    {
        var job = new SynthesisJob(++_lastId, new SynthesisRequest(), FakeEngine.Voice, 1, 5, 1, TimeProvider.System, () => { }, _ => { })
        {
            Style = new LanguageStyle("fake", model),
        };
        var text = new int[positions - 2]; // start and task marks come to it
        SpeechTokenStream Stream(Utterance utterance, int attempt) =>
        new OneShotTokenStream(model.Vocabulary, [], text, [], SpeechTokenLimits.ForText(text.Length, null), 1);
        return new LanguageSequence(new Utterance(job, 0, new TextPiece("", text, 0..0)), Stream, int.MaxValue,
            started => started.Row = new LanguageRow { State = model.CreateState(), Inputs = default });
    }

    private void Step(LanguageSequence sequence)
    {
        Assert.Equal([sequence], _scheduler.Choose([sequence]));
        _model.Launch([sequence.Row!]);
        _model.Collect();
        sequence.Stream.Accept(sequence.Row!.Token);
    }

    private static void Fill(LanguageSequence sequence) => sequence.Job.Output.Write(new AudioChunk
    {
        Samples = new float[10], SampleRate = 100, Index = 0, Start = default, SentenceIndex = 0, TextRange = 0..0, SpeechTokens = default,
            Elapsed = default, IsLast = false,
    });
}
