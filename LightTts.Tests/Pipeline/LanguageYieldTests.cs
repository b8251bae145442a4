using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Pipeline;

/// <summary>Where language model and decoder share a device, the first waits until somebody needs its tokens.</summary>
public class LanguageYieldTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeLanguageModel _model = new(new FakeWorld(), 256);
    private bool _decodes = true;
    private int _asked;
    private long _lastId;

    [Fact]
    public void A_newcomer_is_served_until_the_decode_stage_has_what_it_needs()
    {
        var newcomer = Create();
        Assert.Equal([newcomer], Choose(newcomer));
        newcomer.Job.CanBeDecoded = true;
        Assert.Empty(Choose(newcomer));
        _decodes = false;
        Assert.Equal([newcomer], Choose(newcomer));
    }

    [Theory]
    [InlineData(25, 0, true)]  // a second
    [InlineData(25, 30, false)]
    [InlineData(75, 0, false)]
    public void A_listener_is_served_where_little_is_ahead_of_it_as_audio_or_as_tokens(int taken, int waiting, bool served)
    {
        var listener = Listening(taken, waiting);
        Assert.Equal(served, Choose(listener).Count > 0);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([listener], Choose(listener)); // it has heard that meanwhile
    }

    [Fact]
    public void Who_needs_tokens_soon_takes_everybody_along()
    {
        LanguageSequence[] patient = [Listening(250, 0), Listening(75, 5)];
        Assert.Empty(Choose(patient));
        Assert.Equal(3, Choose([.. patient, Create()]).Count);
    }

    [Fact]
    public void Who_wants_all_of_its_audio_at_once_never_waits()
    {
        var whole = Create(AudioDelivery.Whole);
        whole.Job.CanBeDecoded = true;
        Assert.Equal([whole], Choose(whole));
        Assert.Equal(0, _asked);
    }

    [Fact]
    public void The_language_stage_is_woken_by_the_next_part_and_by_the_end_of_the_work()
    {
        var woken = 0;
        var load = new DecodeLoad(() => woken++);
        Assert.False(load.Watch());
        load.Set(isBusy: true);
        Assert.Equal(1, woken);
        load.Set(isBusy: true);
        Assert.Equal(1, woken); // nobody watches
        Assert.True(load.Watch());
        load.Set(isBusy: false);
        Assert.Equal(2, woken);
        Assert.False(load.Watch());
    }

    /// <summary>Everybody gets the same audio as where nobody yields, whoever leaves; and nothing stays behind.</summary>
    [Fact]
    public async Task Nobody_is_forgotten()
    {
        const string text = "one two three four five six seven eight nine ten eleven twelve. a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh. one two.";
        await using var plain = new FakeEngine(blocks: 256);
        await using var engine = new FakeEngine(blocks: 256, yields: true);
        engine.World.OnCall = call =>
        {
            if (call == "part")
                Thread.SpinWait(20_000);
        };
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            var request = new SynthesisRequest
            {
                Text = text, Seed = i, Delivery = i % 5 == 0 ? AudioDelivery.Whole : AudioDelivery.Streaming,
            };
            await Task.Delay(i % 7);
            if (i % 6 == 1)
            {
                await foreach (var _ in engine.Speak(request))
                    break;
                return;
            }
            var expected = FakeEngine.Join(await FakeEngine.Collect(plain.Speak(request)));
            Assert.Equal(expected, FakeEngine.Join(await FakeEngine.Collect(engine.Speak(request))));
        })).WaitAsync(TimeSpan.FromMinutes(1));
        await engine.AssertIdle();
    }

    private List<LanguageSequence> Choose(params LanguageSequence[] sequences) => new LanguageScheduler(_model, 100, 5, NullLogger.Instance)
    {
        MustYield = () =>
        {
            _asked++;
            return _decodes;
        },
    }.Choose(sequences);

    /// <summary>Somebody who has just got the first audio, of so many tokens, and for whom so many more are drawn.</summary>
    private LanguageSequence Listening(int taken, int waiting)
    {
        var sequence = Create();
        sequence.Job.AddTokensWaiting(taken + waiting);
        sequence.Job.TakeTokens(taken);
        sequence.Job.Emit(new AudioChunk
        {
            Samples = new float[10], SampleRate = 100, Index = 0, Start = default, SentenceIndex = 0, TextRange = 0..0, SpeechTokens = default,
            Elapsed = sequence.Job.Elapsed, IsLast = false,
        });
        return sequence;
    }

    private LanguageSequence Create(AudioDelivery delivery = AudioDelivery.Streaming)
    {
        var job = new SynthesisJob(++_lastId, new SynthesisRequest { Delivery = delivery }, FakeEngine.Voice, 1, 5, 1_000, _time, () => { }, _ => { })
        {
            Style = new LanguageStyle("fake", _model),
        };
        SpeechTokenStream Stream(Utterance utterance, int attempt) =>
            new OneShotTokenStream(_model.Vocabulary, [], new int[4], [], SpeechTokenLimits.ForText(4, null), 1);
        return new LanguageSequence(new Utterance(job, 0, new TextPiece("", new int[4], 0..0)), Stream, int.MaxValue,
            started => started.Row = new LanguageRow { State = _model.CreateState(), Inputs = default });
    }
}
