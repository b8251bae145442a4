using System.Diagnostics;
using System.Runtime.InteropServices;
using LightTts.Diagnostics;
using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The decode stage's part of an utterance: tokens that wait, the model's state, and what of it was handed out.</summary>
internal sealed class DecodeItem(Utterance utterance)
{
    private static readonly TimeSpan NewcomersHeadStart = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan NewcomersPatience = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan WholesPatience = TimeSpan.FromSeconds(10);

    private readonly List<int> _tokens = []; // all that were decoded
    private int _samples;
    private int _told; // of the tokens, those that a chunk has named
    private int _arrived;
    private long _firstArrival;
    private int _more; // tokens that the first chunk takes beyond those that it must

    public Utterance Utterance { get; } = utterance;

    /// <summary>Whether passes are so short that somebody who has heard nothing yet counts as one who runs dry a moment after the request: a gap is
    /// worse than that. Otherwise as one whose audio is seconds late.</summary>
    public bool IsPatient { get; init; }

    /// <summary>How much later than its listener the prompt of its voice is due: behind newcomers that can be served.</summary>
    public TimeSpan PromptsPatience => IsPatient ? NewcomersPatience : NewcomersHeadStart;

    /// <summary>Tokens that were not decoded yet.</summary>
    public List<int> Pending { get; } = [];

    /// <summary>Set when no more tokens will come.</summary>
    public FinishReason? Finish { get; set; }

    /// <summary>Whether the next token is not to be expected soon.</summary>
    public bool IsStalled { get; set; }

    public IDecodeState? State { get; set; }

    /// <summary>Whether its voice's prompt has not been asked for yet.</summary>
    public bool NeedsPrompt { get; set; } = true;

    /// <summary>Whether an open pass works on it, so that its state must stay.</summary>
    public bool IsInPass { get; set; }

    /// <summary>Whether the utterance is over without a single sound: there is nothing to decode.</summary>
    public bool IsSilent => Finish is not null && Pending.Count == 0 && _tokens.Count == 0;

    /// <summary>Tokens have come.</summary>
    public void Arrived(int count)
    {
        if (_arrived == 0)
            _firstArrival = Utterance.Job.Time.GetTimestamp();
        _arrived += count;
    }

    /// <summary>Whether its audio is the next to leave.</summary>
    public bool IsHead => Utterance.Index == Utterance.Job.DecodedUtterances && !Utterance.Job.HasEnded;

    /// <summary>The stage's part of the request's span.</summary>
    public Activity? Span { get; set; }

    /// <summary>Frees the model's state and ends the span.</summary>
    public void Free()
    {
        State?.Dispose();
        Span?.SetTag("lighttts.samples", _samples);
        LightTtsDiagnostics.End(Span, LightTtsDiagnostics.ErrorType(Utterance.Job.Error));
        Span = null;
    }

    /// <summary>Whether a pass now yields audio that may be handed out.</summary>
    /// <remarks>Audio leaves in order, so only a job's head utterance is decoded. Chunks
    /// grow with the audio that the listener has ahead: one chunk while there is less
    /// than a second, then two, then four, which costs fewer passes and delays nobody.</remarks>
    public bool IsReady(ISpeechDecoder decoder, PassCosts costs)
    {
        var job = Utterance.Job;
        if (State is null || NeedsPrompt || IsInPass || !IsHead || job.Output.IsFull)
            return false;
        var isReady = Finish is not null || HasEnough(decoder, costs, State.TokensWanted);
        job.CanBeDecoded = isReady;
        return isReady;
    }

    private bool HasEnough(ISpeechDecoder decoder, PassCosts costs, int wanted)
    {
        var job = Utterance.Job;
        if (Pending.Count < wanted)
            return false;
        if (job.Chunks == 0 && _more == 0 && !IsStalled && !Outlasts(decoder, costs, wanted))
            _more = decoder.ChunkTokens;
        if (job.Chunks == 0 && !IsStalled && Pending.Count < wanted + _more)
            return false;
        var lead = job.Lead(decoder.SampleRate).TotalSeconds;
        var growth = IsStalled || lead < 1 ? 0 : lead < 2 ? decoder.ChunkTokens : 3 * decoder.ChunkTokens;
        return Pending.Count >= wanted + growth;
    }

    /// <summary>Whether a first chunk of so many tokens is likely to last until the second comes, at the speed at which tokens have come and with
    /// what passes have cost. Where tokens come more slowly than they are heard, there is nothing to wait for.</summary>
    private bool Outlasts(ISpeechDecoder decoder, PassCosts costs, int tokens)
    {
        var elapsed = Utterance.Job.Time.GetElapsedTime(_firstArrival).TotalSeconds;
        var perSecond = (double)decoder.SampleRate / decoder.SamplesPerToken;
        if (!costs.AreKnown || _arrived < 2 || _arrived < elapsed * perSecond)
            return true;
        var next = decoder.ChunkTokens * elapsed / _arrived + costs.Mean;
        return (tokens - decoder.HeldTokens) / perSecond >= next;
    }

    /// <summary>When the listener runs out of audio, on the clock of the process; of one who has heard nothing yet, see
    /// <see cref="IsPatient"/>.</summary>
    public TimeSpan Deadline(int sampleRate) => Utterance.Job.Time.GetElapsedTime(0, Utterance.Job.Accepted) +
        (!Utterance.Job.AwaitsFirstAudio ? Utterance.Job.PlaybackDeadline(sampleRate) : IsPatient ? NewcomersPatience : -NewcomersHeadStart);

    /// <summary>The deadline where passes compete for parts: nobody runs dry who listens
    /// at the end only, so others may overtake; but not for ever.</summary>
    public TimeSpan RunsDry(int sampleRate) => Deadline(sampleRate) + (Utterance.Job.Decode.Streaming ? TimeSpan.Zero : WholesPatience);

    /// <summary>Earliest deadline first, then the order in which the requests came and their utterances leave.</summary>
    public static int ByDeadline(DecodeItem a, DecodeItem b, int sampleRate)
    {
        var order = a.Deadline(sampleRate).CompareTo(b.Deadline(sampleRate));
        if (order == 0)
            order = a.Utterance.Job.Id.CompareTo(b.Utterance.Job.Id);
        return order != 0 ? order : a.Utterance.Index.CompareTo(b.Utterance.Index);
    }

    /// <summary>A row with everything that waits. A stream's first chunk takes only what it
    /// must, or newcomers would wait for each other's whole sentences, and in company a pass
    /// takes three chunks at the most, so that no listener runs dry while another one gets seconds.</summary>
    public DecodeRow TakeRow(int chunkTokens, bool isAlone)
    {
        var count = RowTokens(chunkTokens, isAlone);
        Utterance.Job.TakeTokens(count);
        var tokens = CollectionsMarshal.AsSpan(Pending)[..count].ToArray();
        var row = new DecodeRow { State = State!, Tokens = tokens, Final = Finish is not null && count == Pending.Count };
        _tokens.AddRange(tokens);
        Pending.RemoveRange(0, count);
        return row;
    }

    /// <summary>Tokens that <see cref="TakeRow"/> takes.</summary>
    public int RowTokens(int chunkTokens, bool isAlone)
    {
        var count = Pending.Count;
        if (Utterance.Job.Decode.Streaming && State!.TokensWanted is > 0 and var wanted)
        {
            if (Utterance.Job.Chunks == 0)
                count = Math.Min(count, wanted + _more);
            else if (!isAlone)
                count = Math.Min(count, wanted + 2 * Math.Max(wanted, chunkTokens));
            if (Finish is not null && Pending.Count - count <= chunkTokens / 2)
                count = Pending.Count; // a last pass for a few tokens would cost nearly as much as one for a chunk
        }
        return count;
    }

    public AudioChunk CreateChunk(DecodeRow row, ISpeechDecoder decoder, bool isLast)
    {
        var job = Utterance.Job;
        var perToken = decoder.SamplesPerToken / job.Decode.Speed;
        var from = _told;
        _samples += row.Samples.Length;
        var to = _told = row.Final ? _tokens.Count : Math.Clamp((int)Math.Ceiling(_samples / perToken), from, _tokens.Count);
        return new AudioChunk
        {
            Samples = row.Samples,
            SampleRate = decoder.SampleRate,
            Index = job.Chunks,
            Start = TimeSpan.FromSeconds((double)job.Samples / decoder.SampleRate),
            SentenceIndex = Utterance.Index,
            TextRange = new Range(Utterance.Piece.Source.Start, Utterance.SourceEnd),
            SpeechTokens = CollectionsMarshal.AsSpan(_tokens)[from..to].ToArray(),
            Elapsed = job.Elapsed,
            IsLast = isLast,
            FinishReason = row.Final ? Finish : null,
            Redraws = Utterance.Redraws,
            Quality = row.Final ? Utterance.Quality : null,
        };
    }
}
