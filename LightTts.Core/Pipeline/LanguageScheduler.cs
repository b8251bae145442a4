using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>What one step of the language model may hold.</summary>
/// <param name="MaxRows">Sequences.</param>
/// <param name="PrefillTokens">Positions of prompts beside running sequences, so that a long prompt does not stall them.</param>
internal readonly record struct LanguageLimits(int MaxRows, int PrefillTokens);

/// <summary>Chooses the rows of the language model's next step: earliest playback deadline first, within the limits of rows, prompt positions and KV blocks.</summary>
/// <remarks>
/// A running sequence never fails for want of KV blocks: sequences with later deadlines are preempted (their blocks freed, their inputs fed again later, with
/// identical results because draws depend on seed and position alone). New sequences enter only while blocks are left for every running one to grow.
/// </remarks>
internal sealed class LanguageScheduler(ILanguageModel model, LanguageLimits limits, int sampleRate, ILogger log)
{
    private readonly List<LanguageSequence> _candidates = [];
    private readonly List<LanguageSequence> _chosen = [];
    private readonly List<LanguageSequence> _holders = [];

    public List<LanguageSequence> Choose(IEnumerable<LanguageSequence> sequences)
    {
        _candidates.Clear();
        _chosen.Clear();
        _holders.Clear();
        foreach (var sequence in sequences)
        {
            if (sequence.CanStep)
                _candidates.Add(sequence);
            if (sequence.Row is { State.Length: > 0 })
                _holders.Add(sequence);
        }
        _candidates.Sort(ByDeadline);
        _holders.Sort(ByDeadline);
        var prefill = limits.PrefillTokens;
        foreach (var sequence in _candidates)
        {
            if (_chosen.Count == limits.MaxRows)
                break;
            TryAdd(sequence, ref prefill);
        }
        return _chosen;
    }

    private void TryAdd(LanguageSequence sequence, ref int prefill)
    {
        var pending = sequence.Stream.Pending;
        var length = sequence.Row?.State.Length ?? 0;
        var total = Blocks(length + pending.Length);
        if (total > model.KvBlocks)
        {
            sequence.Job.TryEnd(new TtsSynthesisException(
                $"A sentence needs more positions than the language model's key/value cache holds ({model.KvBlocks * model.KvBlockSize}). Shorten the text or the reference audio."));
            return;
        }
        // Alone, a prompt goes in as a whole: there is nobody to stall.
        var count = pending.Length == 1 || _candidates.Count == 1 ? pending.Length : Math.Min(pending.Length, prefill);
        if (count == 0 || !MakeRoom(sequence, length, count, total))
            return;
        if (pending.Length > 1)
            prefill -= count;
        sequence.Start();
        var row = sequence.Row!;
        row.Inputs = pending[..count];
        row.Draw = count == pending.Length ? sequence.Stream.Draw : null;
        row.Token = -1;
        _chosen.Add(sequence);
    }

    /// <summary>Makes sure that the blocks for <paramref name="count"/> more positions are free, at the cost of sequences that can wait longer.</summary>
    private bool MakeRoom(LanguageSequence sequence, int length, int count, int total)
    {
        var reserved = 0; // blocks that the rows chosen before will take in this step
        foreach (var row in _chosen)
            reserved += Blocks(row.Row!.State.Length + row.Row.Inputs.Length) - Blocks(row.Row.State.Length);
        var need = Blocks(length + count) - Blocks(length);
        if (length == 0 && _holders.Count > 0)
            return total + _holders.Count + reserved <= model.FreeKvBlocks;
        while (need + reserved > model.FreeKvBlocks)
        {
            var victim = _holders.FindLast(holder => holder != sequence && !_chosen.Contains(holder) && holder.Row!.State.Length > 0);
            if (victim is null || ByDeadline(victim, sequence) < 0 && victim.CanStep)
                return false;
            LogMessages.Preempted(log, victim.Job.Id);
            victim.Preempt();
        }
        return true;
    }

    private int Blocks(int positions) => (positions + model.KvBlockSize - 1) / model.KvBlockSize;

    /// <summary>Idle sequences (waiting for text or for their consumer) last, then by when the listener runs out of audio, then by age.</summary>
    private int ByDeadline(LanguageSequence a, LanguageSequence b)
    {
        if (a.CanStep != b.CanStep)
            return a.CanStep ? -1 : 1;
        var order = Deadline(a).CompareTo(Deadline(b));
        if (order == 0)
            order = a.Job.Id.CompareTo(b.Job.Id);
        return order != 0 ? order : a.Utterance.Index.CompareTo(b.Utterance.Index);
    }

    /// <summary>On the clock of the process: acceptance plus what the listener has been given since.</summary>
    private TimeSpan Deadline(LanguageSequence sequence)
    {
        var job = sequence.Job;
        return job.Chunks == 0 ? TimeSpan.MinValue : job.Time.GetElapsedTime(0, job.Accepted) + job.PlaybackDeadline(sampleRate);
    }
}
