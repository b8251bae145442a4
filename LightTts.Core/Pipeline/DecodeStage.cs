using System.Numerics.Tensors;
using System.Runtime.ExceptionServices;
using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>Third stage: speech tokens into audio. A step is one part of the pass that <see cref="DecodeScheduler"/> chooses.</summary>
internal sealed class DecodeStage(ISpeechDecoder decoder, int capacity, TimeProvider time, ILogger log, Action wakeLanguage)
    : Stage<DecodeMessage>(PipelineStage.Decode, capacity, time, log)
{
    private static readonly TimeSpan PreparationTurn = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<Utterance, DecodeItem> _items = [];
    private readonly DecodeScheduler _scheduler = new(decoder);
    private readonly List<DecodeItem> _new = [];
    private readonly Comparison<DecodeItem> _byDeadline = (a, b) => DecodeItem.ByDeadline(a, b, decoder.SampleRate);
    private readonly DecodeLoad _load = new(wakeLanguage);
    private volatile int _held;
    private volatile bool _servesNewcomers;
    private long _cacheBytes;

    public int SampleRate => decoder.SampleRate;

    public int ChunkTokens => decoder.ChunkTokens;

    /// <summary>Speech tokens in a second of speech.</summary>
    public double TokensPerSecond => (double)decoder.SampleRate / decoder.SamplesPerToken;

    /// <summary>Whether it is at work, for the language stage.</summary>
    public DecodeLoad Load => _load;

    /// <summary>Utterances held now.</summary>
    public int Held => _held;

    /// <summary>Whether a pass is under way for listeners who have heard nothing yet. The language stage is woken when that is over.</summary>
    public bool ServesNewcomers => _servesNewcomers;

    /// <summary>Bytes of flow and vocoder caches held now.</summary>
    public long CacheBytes => Interlocked.Read(ref _cacheBytes);

    /// <summary>Memory that the decoder keeps for its caches.</summary>
    public DecodeMemory Memory => decoder.Memory;

    protected override IDisposable Enter() => decoder.EnterThread();

    protected override void WarmUp() => decoder.WarmUp();

    protected override void Receive(DecodeMessage message)
    {
        if (message.Utterance is { Job.HasEnded: false } utterance)
            _items.Add(utterance, new DecodeItem(utterance) { IsPatient = decoder.IsBatched });
    }

    protected override void Refuse(DecodeMessage message, Exception cause) => message.Utterance?.Job.Fail(cause);

    protected override bool Step()
    {
        Sweep();
        foreach (var item in _items.Values)
            item.Utterance.Tokens.Drain(item);
        var worked = PassSilent() | Prepare() | Decode();
        _held = _items.Count;
        return worked;
    }

    protected override void Fault(Exception cause)
    {
        while (_scheduler.Open is [.., var work])
            _scheduler.Close(work);
        foreach (var item in _items.Values)
        {
            item.Utterance.Job.Fail(cause);
            item.Free();
        }
        _items.Clear();
        _load.Set(false);
        _held = 0;
        LookForNewcomers();
        Interlocked.Exchange(ref _cacheBytes, 0);
    }

    protected override void Close()
    {
        Fault(new ObjectDisposedException(nameof(TtsPipeline)));
        decoder.Dispose();
    }

    /// <summary>Does the most urgent part of a pass.</summary>
    private bool Decode()
    {
        var chosen = _scheduler.Choose(_items.Values);
        _load.Set(chosen is not null);
        LookForNewcomers();
        if (chosen is not { } work)
            return false;
        try
        {
            using (LightTtsDiagnostics.MeasureStage(Name))
                if (work.Advance(decoder))
                    return true;
            _scheduler.Learn(work);
            if (work.Rows is { Count: var rows })
                LightTtsDiagnostics.PassEnded(rows, work.Spent);
        }
        catch (Exception e) when (!DeviceLoss.Is(e))
        {
            LogMessages.StageStepFailed(Log, e, Name);
            if (work.Rows is null)
                work.Items[0].Utterance.Job.Fail(e);
            foreach (var row in work.Rows ?? [])
                row.Error ??= e;
        }
        _scheduler.Close(work);
        for (var i = 0; i < work.Rows?.Count; i++)
            TryFinish(work.Items[i], work.Rows[i]);
        CountBytes();
        LookForNewcomers();
        return true;
    }

    private void LookForNewcomers()
    {
        var served = _servesNewcomers;
        _servesNewcomers = _scheduler.ServesNewcomers;
        if (served && !_servesNewcomers)
            wakeLanguage();
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

    private void TryFinish(DecodeItem item, DecodeRow row)
    {
        try
        {
            Finish(item, row);
        }
        catch (Exception e) when (!DeviceLoss.Is(e))
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
            if (DeviceLoss.Is(error))
                ExceptionDispatchInfo.Throw(error);
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
            job.TryEnd(job.SourceError);
        wakeLanguage();
    }

    /// <summary>Makes the states of new utterances while their first tokens are still being
    /// drawn, and opens the pass of a new voice's prompt, off the critical path. In the order
    /// of their deadlines, so that later requests overtake nobody; after some that took long, what is ready has its turn.</summary>
    private bool Prepare()
    {
        _new.Clear();
        foreach (var item in _items.Values)
            if (item.NeedsPrompt && !item.IsSilent && !item.Utterance.Job.HasEnded)
                _new.Add(item);
        if (_new.Count == 0)
            return false;
        _new.Sort(_byDeadline);
        var began = Time.GetTimestamp();
        var worked = false;
        foreach (var item in _new)
        {
            worked |= TryPrepare(item);
            if (Time.GetElapsedTime(began) > PreparationTurn)
                break;
        }
        return worked;
    }

    private bool TryPrepare(DecodeItem item)
    {
        var job = item.Utterance.Job;
        try
        {
            if (item.State is null)
            {
                item.Span = LightTtsDiagnostics.StartPart(job.Activity, "lighttts.decode", item.Utterance.Index);
                // Later sentences are not waited for.
                item.State = decoder.CreateState(job.Timbre, item.Utterance.Index == 0 ? job.Decode : job.Decode with { FirstFlowSteps = null });
            }
            return _scheduler.TryBeginPrompt(item);
        }
        catch (Exception e)
        {
            job.Fail(e);
            return true;
        }
    }

    /// <summary>Frees what has ended, unless an open pass works on it for others, too.</summary>
    private void Sweep()
    {
        for (var i = _scheduler.Open.Count - 1; i >= 0; i--)
            if (_scheduler.Open[i].IsAbandoned)
                _scheduler.Close(_scheduler.Open[i]);
        var freed = false;
        foreach (var (utterance, item) in _items)
        {
            if (!utterance.Job.HasEnded || item.IsInPass)
                continue;
            item.Free();
            _items.Remove(utterance);
            freed = true;
        }
        if (freed)
            CountBytes();
    }

    private void CountBytes()
    {
        long bytes = 0;
        foreach (var item in _items.Values)
            bytes += item.State?.CacheBytes ?? 0;
        Interlocked.Exchange(ref _cacheBytes, bytes);
    }
}
