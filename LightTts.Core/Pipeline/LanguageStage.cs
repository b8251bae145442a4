using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>A message to the language stage; the default value only wakes it.</summary>
/// <param name="Utterance">Begins where <paramref name="Text"/> is null; otherwise more of its streamed text has arrived.</param>
/// <param name="Text">Token ids of streamed text.</param>
/// <param name="TextComplete">Whether no more text of this utterance will come.</param>
internal readonly record struct LanguageMessage(Utterance? Utterance, int[]? Text, bool TextComplete);

/// <summary>Second stage: text tokens into speech tokens, all requests in one continuous batch that they join and leave between steps.</summary>
internal sealed class LanguageStage : Stage<LanguageMessage>
{
    private readonly ILanguageModel _model;
    private readonly DecodeStage _decode;
    private readonly LanguageScheduler _scheduler;
    private readonly Action _wakeEncode;
    private readonly Dictionary<Utterance, LanguageSequence> _sequences = [];
    private readonly List<LanguageRow> _rows = [];
    private volatile int _held;
    private volatile int _blocksInUse;

    public LanguageStage(ILanguageModel model, DecodeStage decode, LanguageLimits limits, int capacity, TimeProvider time, ILogger log, Action wakeEncode)
        : base("language", capacity, time, log)
    {
        _model = model;
        _decode = decode;
        _wakeEncode = wakeEncode;
        _scheduler = new LanguageScheduler(model, limits, decode.SampleRate, decode.ChunkTokens, log);
    }

    /// <summary>Sequences held now.</summary>
    public int Held => _held;

    /// <summary>KV blocks in use now.</summary>
    public int KvBlocksInUse => _blocksInUse;

    protected override IDisposable Enter() => _model.EnterThread();

    protected override void Receive(LanguageMessage message)
    {
        if (message.Utterance is not { } utterance || utterance.Job.HasEnded)
            return;
        if (message.Text is null)
            Begin(utterance);
        else if (_sequences.TryGetValue(utterance, out var sequence) && sequence.Stream is BiStreamTokenStream fed)
        {
            if (message.Text.Length > 0)
                fed.Push(message.Text);
            if (message.TextComplete)
                fed.CompleteText();
        }
        else if (message.TextComplete && utterance.IsLast)
        {
            // Its speech reached the limit before its text was complete, so the decode stage may have passed it without knowing that it was the last.
            Begin(new Utterance(utterance.Job, utterance.Index + 1, new TextPiece("", [], new Range(utterance.SourceEnd, utterance.SourceEnd))) { IsLast = true });
        }
    }

    protected override void Refuse(LanguageMessage message, Exception cause) => message.Utterance?.Job.Fail(cause);

    protected override bool Step()
    {
        Sweep();
        var chosen = _scheduler.Choose(_sequences.Values);
        _held = _sequences.Count;
        if (chosen.Count == 0)
        {
            _blocksInUse = _model.KvBlocks - _model.FreeKvBlocks;
            return false;
        }
        _rows.Clear();
        foreach (var sequence in chosen)
            _rows.Add(sequence.Row!);
        try
        {
            using (LightTtsDiagnostics.MeasureStage("language"))
                _model.Step(_rows);
        }
        catch (Exception e)
        {
            Quarantine(chosen, e);
            return true;
        }
        foreach (var sequence in chosen)
            Distribute(sequence);
        LightTtsDiagnostics.CountTokens(chosen.Count);
        _blocksInUse = _model.KvBlocks - _model.FreeKvBlocks;
        return true;
    }

    protected override void Fault(Exception cause)
    {
        foreach (var sequence in _sequences.Values)
        {
            sequence.Job.Fail(cause);
            sequence.Free();
        }
        _sequences.Clear();
        _held = 0;
        _blocksInUse = _model.KvBlocks - _model.FreeKvBlocks;
    }

    protected override void Close()
    {
        Fault(new ObjectDisposedException(nameof(TtsPipeline)));
        _model.Dispose();
        _decode.Stop();
    }

    private void Begin(Utterance utterance)
    {
        var job = utterance.Job;
        var prompt = job.Prompt;
        // Every utterance draws from numbers of its own, so that sentence n sounds the same whatever was said before it.
        var seed = job.Seed + (ulong)utterance.Index * 0x9E3779B97F4A7C15;
        SpeechTokenStream stream = utterance.IsFed
            ? new BiStreamTokenStream(_model.Vocabulary, prompt.Text, prompt.InstructionLength, prompt.Speech, job.Request.MaxSpeechTokens, seed)
            : new OneShotTokenStream(_model.Vocabulary, prompt.Text, utterance.Piece.Tokens, prompt.Speech,
                SpeechTokenLimits.ForText(utterance.Piece.Tokens.Length, job.Request.MaxSpeechTokens), seed);
        _sequences.Add(utterance, new LanguageSequence(utterance, stream, OnStarted));
    }

    /// <summary>An utterance enters the batch: the decode stage can prepare for it, and the next piece of text can be made.</summary>
    private void OnStarted(LanguageSequence sequence)
    {
        sequence.Row = new LanguageRow { State = _model.CreateState(), Inputs = default };
        sequence.Span = LightTtsDiagnostics.StartPart(sequence.Job.Activity, "lighttts.lm", sequence.Utterance.Index);
        _decode.Post(new DecodeMessage(sequence.Utterance, DecodeMessageKind.Begin, 0));
        sequence.Job.WantsPiece = true;
        _wakeEncode();
    }

    /// <summary>A step threw and nobody knows for which row: its rows are fed again from their start, one sequence a step. What fails alone was the cause, or the
    /// model is lost to all; the others go on with the same tokens as if nothing had happened.</summary>
    private void Quarantine(List<LanguageSequence> chosen, Exception cause)
    {
        LogMessages.StageStepFailed(Log, cause, Name);
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
        catch (Exception e)
        {
            sequence.Job.Fail(e);
        }
    }

    private void Take(LanguageSequence sequence, LanguageRow row)
    {
        if (row.Error is { } error)
        {
            row.Error = null;
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
            _decode.Post(new DecodeMessage(sequence.Utterance, DecodeMessageKind.Token, sound));
        }
        if (sequence.Stream.WaitingForText)
            _decode.Post(new DecodeMessage(sequence.Utterance, DecodeMessageKind.Stall, 0));
    }

    /// <summary>Frees what has ended: sequences that are done go on to the decode stage, those of ended jobs go away.</summary>
    private void Sweep()
    {
        foreach (var (utterance, sequence) in _sequences)
        {
            if (!sequence.Job.HasEnded && !sequence.Stream.Finished)
                continue;
            if (!sequence.Job.HasEnded)
            {
                sequence.Start();
                _decode.Post(new DecodeMessage(utterance, DecodeMessageKind.End, (int)sequence.Stream.FinishReason!.Value));
                sequence.Job.SpokenUtterances++;
            }
            sequence.Free();
            _sequences.Remove(utterance);
        }
    }
}
