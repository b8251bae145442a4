using LightTts.Benchmarks.Paced;
using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Timbres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Pipeline.Simulation;

/// <summary>Paced listeners in front of the pipeline's own schedulers, over models that take the time that a card was measured to take.</summary>
/// <remarks>One thread and a clock of its own: the same every time.</remarks>
internal sealed class PacedSimulation
{
    private readonly FakeTimeProvider _time = new();
    private readonly CardCosts _costs;
    private readonly SimulatedDecoder _decoder;
    private readonly SimulatedLanguageModel _language;
    private readonly LanguageStyle _style;
    private readonly DecodeScheduler _scheduler;
    private readonly LanguageLane _lane;
    private readonly DecodeStage _load;
    private readonly List<DecodeItem> _items = [];
    private readonly Dictionary<DecodeItem, (int Listener, Playback Playback, bool Counts)> _listeners = [];
    private readonly PriorityQueue<int, double> _askers = new(); // listeners by when they ask again
    private readonly Random _random = new(1);
    private readonly PacedTally _tally = new();
    private readonly TimbreFeatures _voice;
    private double _left; // milliseconds of the language model's step under way
    private bool _isStepping;
    private double _from;  // when requests begin to count
    private long _lastId;

    /// <param name="costs">Of the card.</param>
    /// <param name="seconds">Of audio in each request.</param>
    public PacedSimulation(CardCosts costs, double seconds = 10, bool yields = true)
    {
        _costs = costs;
        _decoder = new SimulatedDecoder(costs, Work);
        _language = new SimulatedLanguageModel(costs, (int)(seconds * 25), yields);
        _style = new LanguageStyle("simulated", _language);
        _scheduler = new DecodeScheduler(_decoder);
        _voice = new TimbreFeatures(null, new int[87], [], 174, new float[192]);
        _load = new DecodeStage(_decoder, 1 << 20, _time, NullLogger.Instance, Launch); // never started: only what lanes ask it for
        _lane = new LanguageLane(_language, _load, 0, NullLogger.Instance, () => { });
    }

    /// <summary>Milliseconds in which the decoder worked.</summary>
    public double DecodeBusy { get; private set; }

    /// <summary>Milliseconds in which the language model worked.</summary>
    public double LanguageBusy { get; private set; }

    /// <summary>Passes, and their rows.</summary>
    public (int Passes, int Rows, double Longest) Passes { get; private set; }

    /// <summary>A number of listeners for a time; what is asked for within the ramp does not count.</summary>
    public PacedRow Listen(int listeners, double ramp, double seconds)
    {
        _from = ramp;
        for (var listener = 0; listener < listeners; listener++)
            _askers.Enqueue(listener, _random.NextDouble() * ramp);
        while (Now < ramp + seconds)
        {
            foreach (var item in _items)
                item.Utterance.Tokens.Drain(item);
            var work = _scheduler.Choose(_items);
            _load.Load.Set(work is not null);
            if (work is null)
            {
                Go(_isStepping ? _left : double.MaxValue, ramp + seconds, decodes: false);
                continue;
            }
            if (work.Advance(_decoder))
                continue;
            _scheduler.Learn(work);
            _scheduler.Close(work);
            Passes = (Passes.Passes + 1, Passes.Rows + work.Items.Count, Math.Max(Passes.Longest, work.Spent.TotalMilliseconds));
            for (var i = 0; i < work.Items.Count; i++)
                Finish(work.Items[i], work.Rows![i]);
        }
        foreach (var (item, (_, playback, counts)) in _listeners)
            Tell(item, playback, counts);
        return _tally.Row("simulated", listeners, TimeSpan.FromSeconds(seconds));
    }

    private double Now => _time.GetTimestamp() / (double)_time.TimestampFrequency - _start;

    private readonly double _start = new FakeTimeProvider().GetTimestamp() / (double)new FakeTimeProvider().TimestampFrequency;

    /// <summary>The decoder works for so many milliseconds, in which the language model goes on beside it and listeners ask.</summary>
    private void Work(double milliseconds)
    {
        DecodeBusy += milliseconds;
        while (milliseconds > 1e-6)
        {
            var speed = _isStepping ? _costs.DecodeShare : 1;
            milliseconds -= speed * Go(milliseconds / speed, double.MaxValue, decodes: true);
        }
    }

    /// <summary>Lets time go by to the next event, at most so many milliseconds.</summary>
    private double Go(double most, double end, bool decodes)
    {
        var speed = decodes ? _costs.LanguageShare : 1;
        var span = Math.Min(most, 1000 * (end - Now));
        if (_isStepping)
            span = Math.Min(span, _left / speed);
        if (_askers.TryPeek(out _, out var next))
            span = Math.Min(span, 1000 * (next - Now));
        span = Math.Max(span, 0.0002); // the clock's ticks
        _time.Advance(TimeSpan.FromMilliseconds(span));
        _left -= speed * span;
        if (_isStepping && _left <= 1e-6)
        {
            _lane.Collect();
            _isStepping = false;
        }
        while (_askers.TryPeek(out var listener, out next) && next <= Now)
        {
            _askers.Dequeue();
            Ask(listener);
        }
        Launch();
        return span;
    }

    private void Launch()
    {
        if (!_isStepping && _lane.Launch())
            (_isStepping, _left, LanguageBusy) = (true, _language.Milliseconds, LanguageBusy + _language.Milliseconds);
    }

    private void Ask(int listener)
    {
        var job = new SynthesisJob(++_lastId, new SynthesisRequest(), _voice, 1, 10, 24_000 * 60, _time, () => { }, _ => { }) { Style = _style };
        var utterance = new Utterance(job, 0, new TextPiece("simulated", new int[60], 0..0)) { IsLast = true };
        var item = new DecodeItem(utterance) { State = _decoder.CreateState(_voice, job.Decode), NeedsPrompt = false, IsPatient = true };
        _items.Add(item);
        _listeners[item] = (listener, new Playback(_decoder.SampleRate), Now >= _from);
        _lane.Receive(new LanguageMessage(utterance, null, false));
    }

    private void Finish(DecodeItem item, DecodeRow row)
    {
        var job = item.Utterance.Job;
        var (listener, playback, counts) = _listeners[item];
        if (row.Samples.Length > 0)
        {
            job.Emit(item.CreateChunk(row, _decoder, row.Final));
            while (job.Output.TryRead(out _))
            {
            }
            playback.Add(TimeSpan.FromSeconds(Now), row.Samples.Length);
        }
        if (!row.Final)
            return;
        _items.Remove(item);
        _listeners.Remove(item);
        Tell(item, playback, counts);
        job.DecodedUtterances++;
        job.TryEnd(null);
        _askers.Enqueue(listener, Now + playback.Left(TimeSpan.FromSeconds(Now)).TotalSeconds + 0.5 * _random.NextDouble());
    }

    private void Tell(DecodeItem item, Playback playback, bool counts)
    {
        if (counts && playback.Audio > TimeSpan.Zero)
            _tally.Add(item.Utterance.Job.FirstAudio, playback, failed: false);
    }
}
