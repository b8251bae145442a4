using System.Runtime.ExceptionServices;
using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>The language stage's part of one language model: its sequences, and the batch of its next step.</summary>
internal sealed class LanguageLane
{
    private readonly ILanguageModel _model;
    private readonly DecodeStage _decode;
    private readonly LanguageScheduler _scheduler;
    private readonly Action _wakeEncode;
    private readonly int _maxRedraws;
    private readonly ILogger _log;
    private readonly Dictionary<Utterance, LanguageSequence> _sequences = [];
    private readonly List<LanguageRow> _rows = [];
    private readonly Action _launch;
    private readonly Action _collect;
    private List<LanguageSequence> _chosen = [];

    public LanguageLane(ILanguageModel model, DecodeStage decode, int maxRedraws, ILogger log, Action wakeEncode)
    {
        _model = model;
        _decode = decode;
        _maxRedraws = maxRedraws;
        _log = log;
        _wakeEncode = wakeEncode;
        (_launch, _collect) = (() => model.Launch(_rows), model.Collect);
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

    /// <summary>Frees what has ended, and begins a step where there is one to take.</summary>
    /// <returns>Whether a step was begun, and is to be collected, or has failed.</returns>
    public bool Launch()
    {
        Sweep();
        _chosen = _scheduler.Choose(_sequences.Values, _decode.ServesNewcomers);
        if (_chosen.Count == 0)
            return false;
        _rows.Clear();
        foreach (var sequence in _chosen)
            _rows.Add(sequence.Row!);
        Try(_launch);
        return true;
    }

    /// <summary>Waits for the step, and hands on what it drew.</summary>
    public void Collect()
    {
        if (_chosen.Count == 0 || !Try(_collect))
            return;
        foreach (var sequence in _chosen)
            Distribute(sequence);
        LightTtsDiagnostics.CountTokens(_chosen.Count);
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
        _chosen = [];
    }

    public void WarmUp() => _model.WarmUp();

    public void Close(Exception cause)
    {
        Fault(cause);
        _model.Dispose();
    }

    /// <returns>False where it failed: then nothing is left to collect.</returns>
    private bool Try(Action part)
    {
        try
        {
            part();
            return true;
        }
        catch (Exception e) when (!DeviceLoss.Is(e))
        {
            Quarantine(_chosen, e);
            _chosen = [];
            return false;
        }
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
    private void Quarantine(List<LanguageSequence> chosen, Exception cause)
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

    private void Distribute(LanguageSequence sequence)
    {
        try
        {
            Take(sequence, sequence.Row!);
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
