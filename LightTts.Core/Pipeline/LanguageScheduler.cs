using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>Chooses the rows of the language model's next step: earliest playback
/// deadline first, within the limits of rows, prompt positions and KV blocks.</summary>
/// <remarks>
/// A running sequence never fails for want of KV blocks: sequences with later deadlines
/// are preempted (their blocks freed, their inputs fed again later, with
/// identical results because draws depend on seed and position alone). New sequences
/// enter in the order of their deadlines, only while blocks are left for every
/// running one to grow, and at the cost of none but idle ones, whose consumer or text source would otherwise hold up everybody.
/// </remarks>
internal sealed class LanguageScheduler(ILanguageModel model, int sampleRate, int chunkTokens, ILogger log)
{
    private static readonly TimeSpan EnoughAhead = TimeSpan.FromSeconds(2); // of speech: to draw a chunk, to wait for a pass, and for the pass

    private const int PrefillAlone = 1024; // positions; bounds what a step computes, and the memory that it takes

    private readonly List<LanguageSequence> _candidates = [];
    private readonly List<LanguageSequence> _chosen = [];
    private readonly List<LanguageSequence> _holders = [];
    private int _prefill; // positions of prompts that this step may still take
    private bool _mayEnter; // false once a sequence did not fit: younger ones must not starve it

    /// <summary>Speech tokens in a second of speech.</summary>
    public double TokensPerSecond { get; init; } = 25;

    /// <summary>Asked where nobody needs tokens soon: whether the step is left out for the decode stage's sake. Null: never.</summary>
    public Func<bool>? MustYield { get; init; }

    /// <summary>Chooses the rows of the next step; nobody where there is nothing to do, or others go first.</summary>
    /// <param name="sequences">All of the model's.</param>
    /// <param name="decodesFirstAudio">Whether the decode stage is at work on somebody's first audio.</param>
    /// <param name="isAhead">Whether a step is under way that is not collected yet. Then nobody is chosen where the next step is not certain.</param>
    public List<LanguageSequence> Choose(IEnumerable<LanguageSequence> sequences, bool decodesFirstAudio = false, bool isAhead = false)
    {
        // Where a step takes processors from decoding, those for whom it is early do not hold up anybody's first audio.
        var yields = decodesFirstAudio && model.Limits.YieldsToFirstAudio;
        _candidates.Clear();
        _chosen.Clear();
        _holders.Clear();
        var isDue = false;
        foreach (var sequence in sequences)
        {
            sequence.Look(sampleRate);
            if (isAhead && (sequence.IsSuspect || !sequence.CanBeFollowed))
                return _chosen;
            if (sequence.CanStep)
            {
                _candidates.Add(sequence);
                isDue |= MustYield is null || sequence.IsDue(TokensPerSecond, EnoughAhead);
            }
            if (sequence.Length > 0)
                _holders.Add(sequence);
        }
        if (!isDue && MustYield?.Invoke() == true)
            return _chosen;
        _candidates.Sort(ByDeadline);
        _holders.Sort(ByDeadline);
        _prefill = model.Limits.PrefillTokens;
        _mayEnter = true;
        // Those of a step that failed as a whole are tried one at a time, before others join them again.
        foreach (var sequence in _candidates)
            if (sequence.IsSuspect && TryAdd(sequence))
                return _chosen;
        var newcomers = 0;
        foreach (var sequence in _candidates)
        {
            if (_chosen.Count == model.Limits.MaxRows)
                break;
            // A step takes longer with every row, so those that would only add to what waits for the decode stage let newcomers go ahead.
            var isNewcomer = sequence.DelaysFirstAudio(chunkTokens);
            if (sequence.IsSuspect || (isNewcomer ? newcomers == model.Limits.Newcomers
                : (newcomers > 0 || yields) && sequence.CanSitOut(chunkTokens)))
                continue;
            if (TryAdd(sequence) && isNewcomer)
                newcomers++;
        }
        return _chosen;
    }

    private bool TryAdd(LanguageSequence sequence)
    {
        var pending = sequence.Pending;
        if (Blocks(sequence.Length + pending.Length) > model.KvBlocks)
        {
            if (sequence.UnderWay is not null)
                return false; // it may be over
            sequence.Job.TryEnd(new TtsSynthesisException(
                $"A sentence needs more positions than the language model's key/value cache holds ({model.KvBlocks * model.KvBlockSize}). Shorten "
                + $"the text or the reference audio."));
            return false;
        }
        // Alone, any ordinary prompt goes in as a whole: there is nobody to stall.
        // Between the pieces of a giant one others can join, and its end be seen.
        var count = pending.Length == 1 ? 1 : Math.Min(pending.Length, _candidates.Count == 1 ? Math.Max(_prefill, PrefillAlone) : _prefill);
        if (count == 0)
            return false;
        if (sequence.Length > 0 ? !MakeRoom(sequence, count) : !(_mayEnter && (_mayEnter = MakeRoomToEnter(pending.Length))))
            return false;
        if (pending.Length > 1)
            _prefill -= count;
        sequence.Choose(count);
        _chosen.Add(sequence);
        return true;
    }

    /// <summary>Makes sure that the blocks for <paramref name="count"/> more positions
    /// are free, at the cost of sequences that can wait longer.</summary>
    private bool MakeRoom(LanguageSequence sequence, int count)
    {
        var need = Blocks(sequence.Length + count) - Blocks(sequence.Length) + Reserved();
        while (need > model.FreeKvBlocks)
        {
            var victim = _holders.FindLast(holder => holder != sequence && holder.Length > 0 && !_chosen.Contains(holder));
            if (victim is null || victim.CanStep && ByDeadline(victim, sequence) < 0)
                return false;
            Preempt(victim);
        }
        return true;
    }

    /// <summary>Makes sure that a sequence of so many positions fits, beside one more
    /// block for each that runs, at the cost of idle ones only.</summary>
    private bool MakeRoomToEnter(int positions)
    {
        var need = Blocks(positions) + Reserved();
        var idle = 0;
        foreach (var sequence in _holders)
        {
            need += sequence.CanStep && sequence.Length > 0 ? 1 : 0;
            idle += sequence.CanStep ? 0 : Blocks(sequence.Length);
        }
        if (need > model.FreeKvBlocks + idle)
            return false;
        while (need > model.FreeKvBlocks)
            Preempt(_holders.FindLast(holder => !holder.CanStep && holder.Length > 0)!);
        return true;
    }

    /// <summary>Blocks that the rows chosen before will take: in this step those that run, with their whole prompt those that enter.</summary>
    private int Reserved()
    {
        var blocks = 0;
        foreach (var sequence in _chosen)
            blocks += sequence.Length == 0
                ? Blocks(sequence.Pending.Length)
                : Blocks(sequence.Length + sequence.Row!.Inputs.Length) - Blocks(sequence.Length);
        return blocks;
    }

    private void Preempt(LanguageSequence victim)
    {
        LogMessages.Preempted(log, victim.Job.Id);
        victim.Preempt();
    }

    private int Blocks(int positions) => (positions + model.KvBlockSize - 1) / model.KvBlockSize;

    /// <summary>Idle sequences (waiting for text or for their consumer) last, then by when the listener runs out of audio, then by age.</summary>
    private static int ByDeadline(LanguageSequence a, LanguageSequence b)
    {
        if (a.CanStep != b.CanStep)
            return a.CanStep ? -1 : 1;
        var order = a.Deadline.CompareTo(b.Deadline);
        if (order == 0)
            order = a.Job.Id.CompareTo(b.Job.Id);
        return order != 0 ? order : a.Utterance.Index.CompareTo(b.Utterance.Index);
    }
}
