using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using LightTts.Diagnostics;
using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The language stage's part of an utterance: its token stream and, once it has entered the batch, its place in the KV cache.</summary>
/// <param name="utterance">What is spoken.</param>
/// <param name="createStream">Makes the stream of an attempt, from 0.</param>
/// <param name="maxHeld">Speech tokens kept back as long as the utterance may be drawn again; one more, and all go on.</param>
/// <param name="onStarted">Told when it enters the batch.</param>
internal sealed class LanguageSequence(Utterance utterance, Func<Utterance, int, SpeechTokenStream> createStream, int maxHeld,
    Action<LanguageSequence> onStarted)
{
    private readonly List<int> _held = [];
    private readonly List<int> _fed = []; // text that came in pieces: it is fed again where the utterance is drawn again
    private readonly StringBuilder _spoken = new(utterance.Piece.Text);
    private bool _textComplete = !utterance.IsFed;
    private bool _released;
    private Attempt? _best; // of the attempts so far
    private LanguageRow? _spare;
    private LanguageRow? _first, _second; // of steps under way, in the order in which they are collected

    private static readonly int[] NotKnown = [0];

    public Utterance Utterance { get; } = utterance;

    public SynthesisJob Job => Utterance.Job;

    public SpeechTokenStream Stream { get; private set; } = createStream(utterance, 0);

    /// <summary>Whether there is nothing to speak: it only ends its job.</summary>
    public bool HasNoText => Utterance.IsFed ? _fed.Count == 0 : Utterance.Piece.Tokens.Length == 0;

    /// <summary>Whether nothing of it has left and all of its text is known.</summary>
    public bool CanRedraw => !_released && _textComplete;

    /// <summary>The row of the step that was chosen last; null until the utterance has entered the batch.</summary>
    public LanguageRow? Row { get; set; }

    /// <summary>The stage's part of the request's span.</summary>
    public Activity? Span { get; set; }

    /// <summary>Whether the utterance may enter the batch. A streamed job speaks one
    /// sentence after the other, because a second one would delay the first one's audio;
    /// a whole one lets a few share the batch. Either way the language stage stays ahead of the decode stage by a bounded number.</summary>
    public bool MayStart =>
        Utterance.Index <= Job.DecodedUtterances + MaxAhead && (!Job.Decode.Streaming || Utterance.Index <= Job.SpokenUtterances);

    /// <summary>Its row of the step under way, where it has one whose result counts.</summary>
    public LanguageRow? UnderWay => _second ?? _first;

    /// <summary>What to feed next: as long as a step is under way, the one token that it draws.</summary>
    public ReadOnlyMemory<int> Pending => UnderWay is null ? Stream.Pending : NotKnown;

    /// <summary>Whether it can be said now, before the step under way is collected, what comes after it.</summary>
    public bool CanBeFollowed => UnderWay is null || Job.HasEnded || (UnderWay.Draw is not null && Stream.Next != NextInput.Unknown);

    /// <summary>Whether there is a step to take now. A job whose consumer does not take its audio pauses.</summary>
    public bool CanStep { get; private set; }

    /// <summary>When the listener runs out of audio, on the clock of the process. The
    /// first chunk of a stream goes before all else; speech that is computed as a whole
    /// has no listener yet and counts from its acceptance, so that it neither starves nor makes running streams run dry.</summary>
    public TimeSpan Deadline { get; private set; }

    /// <summary>Whether it was part of a step that failed as a whole and is to be tried alone.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>Positions that it holds in the KV cache.</summary>
    public int Length => Row?.State.Length ?? 0;

    /// <summary>Looks at what other threads change, once for a step: a sort wants keys that stand still.</summary>
    public void Look(int sampleRate)
    {
        CanStep = !Job.HasEnded && (UnderWay is null ? Stream.Ready : Stream.Next == NextInput.DrawnToken) && !Job.Output.IsFull
            && (Row is not null || MayStart);
        Deadline = Job.Chunks == 0 && Job.Decode.Streaming
            ? TimeSpan.MinValue
            : Job.Time.GetElapsedTime(0, Job.Accepted) + Job.PlaybackDeadline(sampleRate);
    }

    /// <summary>Whether a listener who has heard nothing yet waits for tokens, not for the decode stage.</summary>
    public bool DelaysFirstAudio(int chunkTokens) => Job.AwaitsFirstAudio && Job.TokensWaiting < Enough(chunkTokens);

    /// <summary>Whether the decode stage has work of this stream, so that it can sit out while newcomers are in a hurry.</summary>
    public bool CanSitOut(int chunkTokens) => Job.Decode.Streaming && Job.TokensWaiting >= Enough(chunkTokens);

    /// <summary>Whether somebody waits for its tokens, or will soon: the decode stage, of a stream that has given no audio yet; the listener, where
    /// less than so much is drawn that was not heard; who wants all of it before any.</summary>
    public bool IsDue(double tokensPerSecond, TimeSpan enough) =>
        !Job.Decode.Streaming || (Job.AwaitsFirstAudio ? !Job.CanBeDecoded : Job.Ahead(tokensPerSecond) < enough);

    private static int Enough(int chunkTokens) => chunkTokens + chunkTokens / 2; // a chunk and what the model looks ahead

    private const int MaxAhead = 2;

    /// <summary>Enters the batch, if that has not happened yet.</summary>
    public void Start()
    {
        if (Row is null)
            onStarted(this);
    }

    /// <summary>Readies its row of the next step, beside that of the step under way.</summary>
    /// <param name="count">How much of <see cref="Pending"/> it is to feed.</param>
    public void Choose(int count)
    {
        Start();
        (Row, _spare) = (_spare ?? new LanguageRow { State = Row!.State, Inputs = default }, Row);
        var pending = Pending;
        Row.Inputs = pending[..count];
        Row.Follows = UnderWay;
        Row.Draw = UnderWay is not null ? Stream.DrawAfterNext : count == pending.Length ? Stream.Draw : null;
        Row.Token = -1;
    }

    /// <summary>Its row is under way.</summary>
    public void Launched()
    {
        if (_first is null)
            _first = Row;
        else
            _second = Row;
    }

    /// <summary>The first of the steps under way in which it has a row is there.</summary>
    /// <returns>False where that row's result counts no more.</returns>
    public bool Collected(LanguageRow row)
    {
        if (row != _first)
            return false;
        (_first, _second) = (_second, null);
        return true;
    }

    /// <summary>Gives up the place in the KV cache, and the results of steps under way; everything will be fed again, with the same result.</summary>
    public void Preempt()
    {
        Row!.State.Reset();
        Row.Error = null;
        Forget();
        Stream.Rewind();
    }

    /// <summary>What the first of the steps under way has drawn is not what the second one was to be fed, which counts no more.</summary>
    public void DropFollower()
    {
        if (_first is null)
            return;
        Forget();
        Row!.State.Retreat(1);
    }

    private void Forget() => _first = _second = null;

    /// <summary>More of its text has arrived.</summary>
    public void Feed(int[] text, string spoken, bool isComplete)
    {
        _fed.AddRange(text);
        _spoken.Append(spoken);
        _textComplete = isComplete;
        var stream = (BiStreamTokenStream)Stream;
        if (text.Length > 0)
            stream.Push(text);
        if (isComplete)
            stream.CompleteText();
    }

    /// <summary>Keeps a sound back; false where it is to go on, with those that were kept before.</summary>
    public bool TryHold(int sound)
    {
        if (_released || _held.Count == maxHeld)
            return false;
        _held.Add(sound);
        return true;
    }

    /// <summary>Hands on what was kept, and perhaps one sound more; from now on all goes on as it comes.</summary>
    public void Release(int? sound = null)
    {
        _released = true;
        if (sound is { } value)
            _held.Add(value);
        if (_held.Count > 0)
            Utterance.Tokens.Add(CollectionsMarshal.AsSpan(_held));
        _held.Clear();
    }

    /// <summary>Judges the attempt that has ended. Where an earlier one was nearer to
    /// what is plausible, and nothing has left, that one counts.</summary>
    public Verdict Judge(ILanguageModel model)
    {
        var requested = Job.Request.MaxSpeechTokens;
        var text = _spoken.ToString();
        var verdict = SpeechJudge.Judge(model.Pace, model.Vocabulary, text, Stream, requested <= Stream.History.Count);
        var attempt = new Attempt(Stream, [], verdict, SpeechJudge.Distance(model.Pace, model.Vocabulary, text, Stream, verdict));
        if (_best is { } best && best.Distance <= attempt.Distance && !_released)
        {
            attempt = best;
            Job.AddTokensWaiting(best.Held.Length - _held.Count);
            _held.Clear();
            _held.AddRange(best.Held);
            Stream = best.Stream;
        }
        _best = attempt;
        return attempt.Verdict;
    }

    /// <summary>Begins anew with other random numbers; what was judged best so far is kept.</summary>
    public void Redraw()
    {
        _best = _best is { } best ? best with { Held = [.. _held] } : null;
        Job.AddTokensWaiting(-_held.Count);
        _held.Clear();
        Row?.State.Reset();
        Forget();
        Stream = createStream(Utterance, ++Utterance.Redraws);
        if (Stream is not BiStreamTokenStream fed)
            return;
        fed.Push(CollectionsMarshal.AsSpan(_fed));
        fed.CompleteText();
    }

    public void Free()
    {
        Row?.State.Dispose();
        Row = _spare = null;
        Forget();
        Span?.SetTag("lighttts.tokens", Stream.History.Count);
        LightTtsDiagnostics.End(Span, LightTtsDiagnostics.ErrorType(Job.Error));
        Span = null;
    }

    private sealed record Attempt(SpeechTokenStream Stream, int[] Held, Verdict Verdict, double Distance);
}
