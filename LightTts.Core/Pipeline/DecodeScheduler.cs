using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>Decides what the decode stage does next: a part of an open pass, or the first part of a new one.</summary>
/// <remarks>
/// The open pass whose listeners run dry first goes on. A pass is opened beside others
/// only where it cannot wait for their end: for listeners who have heard nothing yet,
/// or who will run dry well before anybody that the open ones serve. Everything else waits, as rows of one pass are cheaper than passes side by side.
/// How many rows a pass takes follows from what passes have cost: newcomers go together as far as that makes them wait least on the average, and
/// the nearer the first of its listeners is to running dry, the smaller a pass is.
/// </remarks>
internal sealed class DecodeScheduler(ISpeechDecoder decoder)
{
    private static readonly TimeSpan OvertakingMargin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EnoughAhead = TimeSpan.FromSeconds(2); // where memory is short

    private readonly List<DecodeWork> _open = [];
    private readonly List<DecodeItem> _ready = [];
    private readonly Comparison<DecodeItem> _byDeadline = (a, b) => DecodeItem.ByDeadline(a, b, decoder.SampleRate);

    /// <summary>What passes over streams' rows have cost.</summary>
    public PassCosts Costs { get; } = new();

    /// <summary>Passes that were begun and are not closed.</summary>
    public IReadOnlyList<DecodeWork> Open => _open;

    /// <summary>Whether an open pass is for listeners who have heard nothing yet.</summary>
    public bool ServesNewcomers => _open.Exists(work => work.IsFirst);

    /// <summary>Chooses the pass to advance by one part; null where there is nothing to do.</summary>
    /// <param name="items">All utterances of the stage.</param>
    public DecodeWork? Choose(IReadOnlyCollection<DecodeItem> items)
    {
        if (_open.Count < decoder.MaxOpenPasses)
            TryOpen(items);
        DecodeWork? chosen = null;
        var earliest = TimeSpan.MaxValue;
        foreach (var work in _open)
        {
            var urgency = work.Urgency(decoder.SampleRate);
            if (chosen is null || urgency < earliest)
                (chosen, earliest) = (work, urgency);
        }
        return chosen;
    }

    /// <summary>Opens the pass of a prompt, where one is to be computed and there is room:
    /// one at a time, so that a voice that several wait for is computed once.</summary>
    /// <returns>False: to be tried again later.</returns>
    public bool TryBeginPrompt(DecodeItem item)
    {
        if (!item.State!.NeedsPrompt)
        {
            item.NeedsPrompt = false;
            return true;
        }
        // The last place is kept for rows, but for a decoder that has no more than that.
        if (_open.Exists(work => work.Rows is null) || _open.Count > Math.Max(0, decoder.MaxOpenPasses - 2))
            return false;
        item.NeedsPrompt = false;
        item.State.Deadline = item.RunsDry(decoder.SampleRate);
        if (decoder.BeginPrompt(item.State) is { } pass)
            Add(new DecodeWork(item, pass));
        return true;
    }

    /// <summary>A pass was done to its end.</summary>
    public void Learn(DecodeWork work)
    {
        if (work.Rows is { Count: > 0 } && work.Items.All(item => item.Utterance.Job.Decode.Streaming))
            Costs.Record(work.Tokens, work.Spent);
    }

    /// <summary>Closes a pass that is done, has failed, or that nobody waits for.</summary>
    public void Close(DecodeWork work)
    {
        _open.Remove(work);
        foreach (var item in work.Items)
            item.IsInPass = false;
        work.Dispose();
    }

    private void TryOpen(IReadOnlyCollection<DecodeItem> items)
    {
        _ready.Clear();
        foreach (var item in items)
            if (item.IsReady(decoder, Costs))
                _ready.Add(item);
        if (_ready.Count == 0)
            return;
        _ready.Sort(_byDeadline);
        foreach (var work in _open)
            if (work.Rows is not null && !Overtakes(_ready[0], work))
                return;
        foreach (var item in items)
            if (item.State is { } state)
                state.Deadline = item.RunsDry(decoder.SampleRate);
        // First audio is not held up by what could wait: rows of a pass leave together.
        var isFirst = _ready[0].Utterance.Job.AwaitsFirstAudio;
        var most = Math.Max(1, isFirst ? Newcomers(items) : decoder.MaxRows); // a pass of nobody would be opened for ever
        var now = _ready[0].Utterance.Job.Now;
        var slack = (_ready[0].RunsDry(decoder.SampleRate) - now).TotalSeconds;
        var isShort = decoder.Memory.IsShort;
        var tokens = 0;
        List<DecodeRow> rows = [];
        List<DecodeItem> members = [];
        foreach (var item in _ready)
        {
            var isAlone = IsAlone(items, item.Utterance.Job);
            var more = item.RowTokens(decoder.ChunkTokens, isAlone);
            if (rows.Count > 0 && !isFirst && (EndsLate(tokens, tokens + more, slack)
                || (isShort && item.RunsDry(decoder.SampleRate) > now + EnoughAhead)))
                break;
            if (rows.Count == most || item.Utterance.Job.AwaitsFirstAudio != isFirst)
                break;
            rows.Add(item.TakeRow(decoder.ChunkTokens, isAlone));
            members.Add(item);
            tokens += more;
        }
        Add(new DecodeWork(members, rows, isFirst));
    }

    /// <summary>Whether a pass that grows from so many tokens to so many takes too long for the first of its listeners, who has so many seconds.
    /// Where rows do not make each other cheaper, a pass that is late as it is takes everybody along.</summary>
    private bool EndsLate(int tokens, int grown, double slack) => decoder.IsBatched && _ready[0].Utterance.Job.Decode.Streaming
        ? Costs.Predict(grown) > Costs.Budget(slack)
        : Costs.Predict(tokens) < slack && Costs.Predict(grown) >= slack;

    /// <summary>How many of those who have heard nothing yet go together.</summary>
    private int Newcomers(IReadOnlyCollection<DecodeItem> items)
    {
        int waiting = 0, tokens = 0;
        foreach (var item in _ready)
        {
            if (!item.Utterance.Job.AwaitsFirstAudio)
                break;
            if (!item.Utterance.Job.Decode.Streaming)
                return decoder.MaxRows; // they wait for all of their audio
            waiting++;
            tokens += item.RowTokens(decoder.ChunkTokens, IsAlone(items, item.Utterance.Job));
        }
        return Math.Min(decoder.MaxRows, Costs.Together(waiting, (double)tokens / waiting));
    }

    private bool Overtakes(DecodeItem item, DecodeWork work) => item.Utterance.Job.AwaitsFirstAudio
        ? !work.IsFirst
        : !work.IsFirst && item.RunsDry(decoder.SampleRate) + OvertakingMargin < work.Urgency(decoder.SampleRate);

    private void Add(DecodeWork work)
    {
        foreach (var item in work.Items)
            item.IsInPass = true;
        _open.Add(work);
    }

    /// <summary>Whether nobody else waits for audio, or will soon.</summary>
    private static bool IsAlone(IReadOnlyCollection<DecodeItem> items, SynthesisJob job)
    {
        foreach (var item in items)
            if (item.Utterance.Job != job && !item.Utterance.Job.Output.IsFull)
                return false;
        return true;
    }
}
