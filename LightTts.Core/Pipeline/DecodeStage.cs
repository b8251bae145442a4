using System.Numerics.Tensors;
using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

internal enum DecodeMessageKind
{
    /// <summary>The utterance has entered the language stage's batch.</summary>
    Begin,

    /// <summary>The value is its next speech token.</summary>
    Token,

    /// <summary>No token will come for a while (its text source stalls): hand out what is there.</summary>
    Stall,

    /// <summary>It has no more tokens; the value is the <see cref="FinishReason"/>.</summary>
    End,
}

/// <summary>A message to the decode stage; the default value only wakes it.</summary>
/// <param name="Utterance">Which utterance.</param>
/// <param name="Kind">What happened to it.</param>
/// <param name="Value">The token, or the reason of the end.</param>
/// <param name="Tokens">Several tokens instead of <paramref name="Value"/>, in order.</param>
internal readonly record struct DecodeMessage(Utterance? Utterance, DecodeMessageKind Kind, int Value, int[]? Tokens = null);

/// <summary>Third stage: speech tokens into audio. Earliest playback deadline first; all tokens that are ready are taken in one pass.</summary>
internal sealed class DecodeStage(ISpeechDecoder decoder, int capacity, TimeProvider time, ILogger log, Action wakeLanguage)
    : Stage<DecodeMessage>("decode", capacity, time, log)
{
    private static readonly TimeSpan PreparationTurn = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<Utterance, DecodeItem> _items = [];
    private readonly List<DecodeItem> _ready = [];
    private readonly List<DecodeRow> _rows = [];
    private readonly Comparison<DecodeItem> _byDeadline = (a, b) => DecodeItem.ByDeadline(a, b, decoder.SampleRate);
    private volatile int _held;
    private long _cacheBytes;

    public int SampleRate => decoder.SampleRate;

    public int ChunkTokens => decoder.ChunkTokens;

    /// <summary>Utterances held now.</summary>
    public int Held => _held;

    /// <summary>Bytes of flow and vocoder caches held now.</summary>
    public long CacheBytes => Interlocked.Read(ref _cacheBytes);

    protected override IDisposable Enter() => decoder.EnterThread();

    protected override void Receive(DecodeMessage message)
    {
        if (message.Utterance is not { } utterance || utterance.Job.HasEnded)
            return;
        if (message.Kind == DecodeMessageKind.Begin)
        {
            _items.Add(utterance, new DecodeItem(utterance));
            return;
        }
        if (!_items.TryGetValue(utterance, out var item))
            return;
        item.IsStalled = message.Kind == DecodeMessageKind.Stall;
        if (message.Tokens is { } tokens)
            item.Pending.AddRange(tokens);
        else if (message.Kind == DecodeMessageKind.Token)
            item.Pending.Add(message.Value);
        else if (message.Kind == DecodeMessageKind.End)
            item.Finish = (FinishReason)message.Value;
    }

    protected override void Refuse(DecodeMessage message, Exception cause) => message.Utterance?.Job.Fail(cause);

    protected override bool Step()
    {
        Sweep(); // only here: nothing that a pass works on may be freed in its interludes
        var worked = PassSilent() | Prepare() | Decode();
        _held = _items.Count;
        long bytes = 0;
        foreach (var item in _items.Values)
            bytes += item.State?.CacheBytes ?? 0;
        Interlocked.Exchange(ref _cacheBytes, bytes);
        return worked;
    }

    protected override void Fault(Exception cause)
    {
        foreach (var item in _items.Values)
        {
            item.Utterance.Job.Fail(cause);
            item.Free();
        }
        _items.Clear();
        _held = 0;
        Interlocked.Exchange(ref _cacheBytes, 0);
    }

    protected override void Close()
    {
        Fault(new ObjectDisposedException(nameof(TtsPipeline)));
        decoder.Dispose();
    }

    /// <summary>Decodes the most urgent of what is ready.</summary>
    private bool Decode()
    {
        _ready.Clear();
        foreach (var item in _items.Values)
            if (item.IsReady(decoder))
                _ready.Add(item);
        if (_ready.Count == 0)
            return false;
        _ready.Sort(_byDeadline);
        // First audio is not held up by what could wait: rows of a pass leave together.
        var isFirst = _ready[0].Utterance.Job.AwaitsFirstAudio;
        _rows.Clear();
        foreach (var item in _ready)
        {
            if (_rows.Count == decoder.MaxRows || item.Utterance.Job.AwaitsFirstAudio != isFirst)
                break;
            _rows.Add(item.TakeRow(decoder.ChunkTokens, IsAlone(item.Utterance.Job)));
        }
        using (LightTtsDiagnostics.MeasureStage("decode"))
            Run(_rows, isFirst ? null : ServeNewcomer);
        for (var i = 0; i < _rows.Count; i++)
            TryFinish(_ready[i], _rows[i]);
        return true;
    }

    /// <summary>Whether nobody else waits for audio, or will soon.</summary>
    private bool IsAlone(SynthesisJob job)
    {
        foreach (var item in _items.Values)
            if (item.Utterance.Job != job && !item.Utterance.Job.Output.IsFull)
                return false;
        return true;
    }

    /// <summary>Ends an utterance without sounds; the model is not asked to decode nothing.</summary>
    private bool PassSilent()
    {
        foreach (var item in _items.Values)
        {
            if (!item.IsSilent || !item.IsHead)
                continue;
            Finish(item, new DecodeRow { State = item.State!, Tokens = default, Final = true });
            return true;
        }
        return false;
    }

    /// <summary>Between the parts of a pass: a listener who has heard nothing yet need not wait for its end.</summary>
    private void ServeNewcomer()
    {
        Poll();
        DecodeItem? newcomer = null;
        foreach (var item in _items.Values)
            if (item.Utterance.Job.AwaitsFirstAudio && item.IsHead && !item.IsSilent && (item.State is null || item.IsReady(decoder))
                && (newcomer is null || _byDeadline(item, newcomer) < 0))
                newcomer = item;
        if (newcomer is null || !TryPrepare(newcomer) || !newcomer.IsReady(decoder))
            return;
        List<DecodeRow> rows = [newcomer.TakeRow(decoder.ChunkTokens, isAlone: false)];
        Run(rows, null);
        TryFinish(newcomer, rows[0]);
    }

    private void Run(List<DecodeRow> rows, Action? interlude)
    {
        try
        {
            decoder.Decode(rows, interlude);
        }
        catch (Exception e)
        {
            LogMessages.StageStepFailed(Log, e, Name);
            foreach (var row in rows)
                row.Error ??= e;
        }
    }

    private void TryFinish(DecodeItem item, DecodeRow row)
    {
        try
        {
            Finish(item, row);
        }
        catch (Exception e)
        {
            item.Utterance.Job.Fail(e);
        }
    }

    private void Finish(DecodeItem item, DecodeRow row)
    {
        var job = item.Utterance.Job;
        if (row.Error is null && row.Samples.Length > 0 && !TensorPrimitives.IsFiniteAll<float>(row.Samples))
            row.Error = new TtsSynthesisException("The model produced audio that is not finite; the request was ended. Its weights may be damaged.");
        if (row.Error is { } error)
        {
            job.Fail(error);
            return;
        }
        var isLast = row.Final && item.Utterance.IsLast;
        if (row.Samples.Length > 0 || isLast)
            job.Emit(item.CreateChunk(row, decoder, isLast));
        if (!row.Final)
            return;
        item.Free();
        _items.Remove(item.Utterance);
        job.DecodedUtterances++;
        if (isLast)
            job.TryEnd(null);
        wakeLanguage();
    }

    /// <summary>Makes the states of new utterances while their first tokens are still being drawn: a voice's flow prefix is computed here, off the critical path. In the order
    /// of their deadlines, so that later requests overtake nobody; after one that took long (a new voice), what is ready has its turn.</summary>
    private bool Prepare()
    {
        _ready.Clear();
        foreach (var item in _items.Values)
            if (item.State is null && !item.IsSilent && !item.Utterance.Job.HasEnded)
                _ready.Add(item);
        if (_ready.Count == 0)
            return false;
        _ready.Sort(_byDeadline);
        var began = Time.GetTimestamp();
        foreach (var item in _ready)
        {
            TryPrepare(item);
            if (Time.GetElapsedTime(began) > PreparationTurn)
                break;
        }
        return true;
    }

    private bool TryPrepare(DecodeItem item)
    {
        var job = item.Utterance.Job;
        try
        {
            if (item.State is null)
            {
                item.Span = LightTtsDiagnostics.StartPart(job.Activity, "lighttts.decode", item.Utterance.Index);
                item.State = decoder.CreateState(job.Timbre, job.Decode);
            }
            return true;
        }
        catch (Exception e)
        {
            job.Fail(e);
            return false;
        }
    }

    private void Sweep()
    {
        foreach (var (utterance, item) in _items)
        {
            if (!utterance.Job.HasEnded)
                continue;
            item.Free();
            _items.Remove(utterance);
        }
    }
}
