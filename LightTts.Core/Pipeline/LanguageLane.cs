using System.Runtime.ExceptionServices;
using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>The language stage's part of one language model: its sequences, and the steps that are under way.</summary>
/// <remarks>Where the model can do that, a step is launched before the one before it is collected, so that a device does not wait for the host to
/// look at tokens. What such a step computes for a sequence that turns out to be over, or to be fed something else, is dropped.</remarks>
internal sealed class LanguageLane
{
    private readonly ILanguageModel _model;
    private readonly DecodeStage _decode;
    private readonly LanguageScheduler _scheduler;
    private readonly Action _wakeEncode;
    private readonly int _maxRedraws;
    private readonly ILogger _log;
    private readonly Dictionary<Utterance, LanguageSequence> _sequences = [];
    private readonly LanguageStep[] _steps = [new(), new()]; // take turns
    private int _turn;
    private LanguageStep? _underWay;
    private LanguageStep? _next; // launched behind it

    public LanguageLane(ILanguageModel model, DecodeStage decode, int maxRedraws, ILogger log, Action wakeEncode)
    {
        _model = model;
        _decode = decode;
        _maxRedraws = maxRedraws;
        _log = log;
        _wakeEncode = wakeEncode;
        _scheduler = new LanguageScheduler(model, decode.SampleRate, decode.ChunkTokens, log)
        {
            TokensPerSecond = decode.TokensPerSecond,
            MustYield = model.Limits.Yields ? decode.Load.Watch : null,
        };
    }

    /// <summary>Sequences held now.</summary>
    public int Held => _sequences.Count;

    /// <summary>KV blocks in use now.</summary>
    public int KvBlocksInUse => _model.KvBlocks - _model.FreeKvBlocks;

    /// <summary>A new utterance, or more of one's text.</summary>
    public void Receive(LanguageMessage message)
    {
        var utterance = message.Utterance!;
        if (message.Text is null)
            Begin(utterance);
        else if (_sequences.TryGetValue(utterance, out var sequence) && utterance.IsFed)
        {
            sequence.Feed(message.Text, message.Spoken, message.TextComplete);
        }
        else if (message.TextComplete && utterance.IsLast)
        {
            // Its speech reached the limit before its text was complete, so the decode stage may have passed it without knowing that it was the last.
            Begin(new Utterance(utterance.Job, utterance.Index + 1,
                new TextPiece("", [], new Range(utterance.SourceEnd, utterance.SourceEnd))) { IsLast = true });
        }
    }

    /// <summary>Frees what has ended, and begins a step where there is one to take, and the one behind it.</summary>
    /// <returns>Whether a step is to be collected, or has failed.</returns>
    public bool Launch()
    {
        Sweep();
        if (_underWay is null && !Begin(ref _underWay))
            return false;
        if (_underWay is not null && _model.CanFollow)
            Begin(ref _next);
        return true;
    }

    /// <summary>Waits for the step that was launched first, and hands on what it drew.</summary>
    public void Collect()
    {
        if (_underWay is not { } step)
            return;
        (_underWay, _next) = (_next, null);
        try
        {
            _model.Collect();
        }
        catch (Exception e) when (!DeviceLoss.Is(e))
        {
            step.Collected();
            Quarantine(step.Sequences, e);
            return;
        }
        step.Collected();
        for (var i = 0; i < step.Sequences.Count; i++)
            Distribute(step.Sequences[i], step.Rows[i]);
        LightTtsDiagnostics.CountTokens(step.Sequences.Count);
    }

    /// <summary>Ends all that it holds.</summary>
    public void Fault(Exception cause)
    {
        foreach (var sequence in _sequences.Values)
        {
            sequence.Job.Fail(cause);
            sequence.Free();
        }
        _sequences.Clear();
        for (; _underWay is not null; (_underWay, _next) = (_next, null))
            try
            {
                _model.Collect();
            }
            catch (Exception e)
            {
                LogMessages.StageStepFailed(_log, e, PipelineStage.Language.Name()); // nobody waits for it any more
            }
    }

    public void WarmUp() => _model.WarmUp();

    public void Close(Exception cause)
    {
        Fault(cause);
        _model.Dispose();
    }

    /// <summary>Chooses the rows of a step and launches it.</summary>
    /// <param name="step">Where it is kept until it is collected; nothing where it failed.</param>
    /// <returns>False where there is nothing to do.</returns>
    private bool Begin(ref LanguageStep? step)
    {
        var chosen = _scheduler.Choose(_sequences.Values, _decode.ServesNewcomers, isAhead: _underWay is not null);
        if (chosen.Count == 0)
            return false;
        var next = _steps[_turn];
        next.Take(chosen);
        try
        {
            _model.Launch(next.Rows);
        }
        catch (Exception e) when (!DeviceLoss.Is(e))
        {
            Quarantine(chosen, e);
            return true;
        }
        next.Launched();
        (step, _turn) = (next, 1 - _turn);
        return true;
    }

    private void Begin(Utterance utterance)
    {
        // What of a stream the decode stage cannot use yet anyway is kept, and all of what is spoken as a whole: it can still be drawn again.
        var held = utterance.Job.Decode.Streaming ? _decode.ChunkTokens : int.MaxValue;
        _sequences.Add(utterance, new LanguageSequence(utterance, CreateStream, held, OnStarted));
    }

    private SpeechTokenStream CreateStream(Utterance utterance, int attempt)
    {
        var job = utterance.Job;
        var prompt = job.Prompt;
        // Every utterance, and every attempt at it, draws from numbers of its own, so that sentence n sounds the same whatever was said before it.
        var seed = unchecked(job.Seed + (ulong)utterance.Index * 0x9E3779B97F4A7C15 + (ulong)attempt * 0xD1B54A32D192ED03);
        return utterance.IsFed
            ? new BiStreamTokenStream(_model.Vocabulary, prompt.Text, prompt.InstructionLength, prompt.Speech, job.Request.MaxSpeechTokens, seed)
            { Sampling = job.Request.Sampling }
            : new OneShotTokenStream(_model.Vocabulary, prompt.Text, utterance.Piece.Tokens, prompt.Speech,
                SpeechTokenLimits.ForText(utterance.Piece.Tokens.Length, job.Request.MaxSpeechTokens), seed)
            { Sampling = job.Request.Sampling };
    }

    /// <summary>An utterance enters the batch: the decode stage can prepare for it, and the next piece of text can be made.</summary>
    private void OnStarted(LanguageSequence sequence)
    {
        sequence.Row = new LanguageRow { State = _model.CreateState(), Inputs = default };
        sequence.Span = LightTtsDiagnostics.StartPart(sequence.Job.Activity, "lighttts.lm", sequence.Utterance.Index);
        _decode.Post(new DecodeMessage(sequence.Utterance));
        sequence.Job.WantsPiece = true;
        _wakeEncode();
    }

    /// <summary>A step threw and nobody knows for which row: its rows are fed again from
    /// their start, one sequence a step. What fails alone was the cause, or the
    /// model is lost to all; the others go on with the same tokens as if nothing had happened.</summary>
    private void Quarantine(IReadOnlyList<LanguageSequence> chosen, Exception cause)
    {
        LogMessages.StageStepFailed(_log, cause, PipelineStage.Language.Name());
        foreach (var sequence in chosen)
        {
            if (chosen.Count == 1)
                sequence.Job.Fail(cause);
            else
                sequence.Preempt();
            sequence.IsSuspect = chosen.Count > 1;
        }
    }

    private void Distribute(LanguageSequence sequence, LanguageRow row)
    {
        try
        {
            Take(sequence, row);
        }
        catch (Exception e) when (!DeviceLoss.Is(e))
        {
            sequence.Job.Fail(e);
        }
    }

    private void Take(LanguageSequence sequence, LanguageRow row)
    {
        if (row.Error is { } error)
        {
            row.Error = null;
            if (DeviceLoss.Is(error))
                ExceptionDispatchInfo.Throw(error);
            sequence.Job.Fail(error);
            return;
        }
        if (row.Inputs.Length < sequence.Stream.Pending.Length)
        {
            sequence.Stream.Advance(row.Inputs.Length);
            return;
        }
        sequence.IsSuspect = false;
        if (_model.Vocabulary.IsStop(row.Token))
            sequence.DropFollower();
        var sound = sequence.Stream.Accept(row.Token);
        if (sound >= 0)
        {
            sequence.Job.AddTokensWaiting(1);
            if (!sequence.TryHold(sound))
                sequence.Release(sound);
        }
        if (sequence.Stream.WaitingForText)
            sequence.Utterance.Tokens.Stall();
    }

    /// <summary>Looks at a finished utterance, and draws it again where it cannot be its text and none of it has left.</summary>
    /// <returns>Whether it is done.</returns>
    private bool Judge(LanguageSequence sequence)
    {
        var utterance = sequence.Utterance;
        if (sequence.HasNoText)
            return true;
        var verdict = sequence.Judge(_model);
        if (verdict == Verdict.Plausible)
            return true;
        var reason = verdict switch { Verdict.Silent => "silent", Verdict.TooShort => "too_short", _ => "too_long" };
        if (sequence.CanRedraw && utterance.Redraws < _maxRedraws)
        {
            LightTtsDiagnostics.CountRedraw(reason);
            LogMessages.Redrawn(_log, sequence.Job.Id, utterance.Index, reason);
            sequence.Redraw();
            return false;
        }
        if (verdict == Verdict.Silent)
        {
            sequence.Job.TryEnd(new TtsSynthesisException(
                $"Sentence {utterance.Index + 1} of the text came out silent, {utterance.Redraws + 1} times. Try another seed or voice, or write it "
                + $"with more words."));
            return true;
        }
        utterance.Quality = verdict == Verdict.TooShort ? SpeechQuality.TooShort : SpeechQuality.TooLong;
        LogMessages.Implausible(_log, sequence.Job.Id, utterance.Index, reason, utterance.Redraws);
        return true;
    }

    /// <summary>Frees what has ended: sequences that are done go on to the decode stage, those of ended jobs go away.</summary>
    private void Sweep()
    {
        foreach (var (utterance, sequence) in _sequences)
        {
            if (!sequence.Job.HasEnded && !sequence.Stream.Finished)
                continue;
            if (!sequence.Job.HasEnded && !Judge(sequence))
                continue;
            if (!sequence.Job.HasEnded)
            {
                sequence.Start();
                sequence.Release();
                utterance.Tokens.Finish(sequence.Stream.FinishReason!.Value);
                _decode.Wake(); // there may be no step after this one
                sequence.Job.SpokenUtterances++;
            }
            sequence.Free();
            _sequences.Remove(utterance);
        }
    }
}
