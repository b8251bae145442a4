using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LightTts.Diagnostics;
using LightTts.Models;
using LightTts.Timbres;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>The three stages and the jobs on their way through them. Knows models only by their interfaces.</summary>
internal sealed class SynthesisEngine : IAsyncDisposable
{
    private const int MaxPendingText = 4096; // characters of streamed text that wait in front of the encode stage

    private readonly TtsPipelineOptions _options;
    private readonly TimeProvider _time;
    private readonly Admission _admission;
    private readonly string? _device;
    private readonly Lazy<Task> _stopped;
    private readonly ISpeechDecoder _decoder;
    private readonly EncodeStage _encode;
    private readonly LanguageStage _language;
    private readonly DecodeStage _decode;
    private readonly ConcurrentDictionary<long, SynthesisJob> _jobs = new();
    private readonly IDisposable _processEnd;
    private readonly RequestReports _reports;
    private readonly EngineGate _gate;

    /// <param name="modelName">In logs and metrics.</param>
    /// <param name="parts">The models, which it owns from now on.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where messages go.</param>
    /// <param name="admission">Counts the requests of all engines of a pipeline; null: of this one.</param>
    /// <param name="device">Which of a pipeline's devices it is; null where there is only one.</param>
    public SynthesisEngine(string modelName, ModelParts parts, TtsPipelineOptions options, TimeProvider time, ILogger log,
        Admission? admission = null, string? device = null)
    {
        _admission = admission ?? new Admission();
        _device = device;
        _options = options;
        _time = time;
        log = new GuardedLogger(log);
        _decoder = parts.Decoder;
        _reports = new RequestReports(modelName, log, _decoder.SampleRate);
        _gate = new EngineGate(device, time);
        Styles = new LanguageStyles(parts.Styles, ChangeAsync);
        _stopped = new Lazy<Task>(StopStagesAsync);
        var capacity = Math.Max(256, options.MaxActiveRequests * 4);
        _decode = new DecodeStage(_decoder, capacity, time, log, () => _language!.Wake()) { Died = OnStageDied };
        _language = new LanguageStage(Styles.All, _decode, options.MaxRedraws, capacity, time, log,
            () => _encode!.Wake()) { Died = OnStageDied };
        _encode = new EncodeStage(parts.Encoder, _language, _decode, capacity, time, log) { Died = OnStageDied };
        _decode.Start();
        _language.Start();
        _encode.Start();
        QueueGauge.Add(this, modelName, Stages);
        _processEnd = ProcessEnd.Register(() => DisposeAsync().AsTask());
    }

    /// <summary>The language models that requests can ask for.</summary>
    public LanguageStyles Styles { get; }

    /// <summary>Whether it can serve no more because a stage has ended on an error.</summary>
    public bool IsLost => _gate.IsLost;

    /// <summary>Ends when all stages are ready to serve, or with what kept one from that.</summary>
    public Task StartedAsync() => Task.WhenAll(_encode.Started, _language.Started, _decode.Started);

    /// <summary>Speaks a request's text, or text that comes in pieces.</summary>
    public IAsyncEnumerable<AudioChunk> RunAsync(SynthesisRequest request, TimbreFeatures timbre, int flowSteps, IAsyncEnumerable<string>? text,
        CancellationToken cancellationToken) => RunAsync(request, timbre, flowSteps, text, null, cancellationToken);

    /// <summary>Speaks speech in another voice; of the request, the voice and the delivery count.</summary>
    public IAsyncEnumerable<AudioChunk> ConvertAsync(SynthesisRequest request, TimbreFeatures timbre, int flowSteps,
        AudioClip? clip, IAsyncEnumerable<AudioClip>? pieces, CancellationToken cancellationToken) =>
        RunAsync(request, timbre, flowSteps, null, new SpeechInput(clip,
            pieces is null ? null : new AudioSource(pieces, _options.TextIdleTimeout), () => _encode.Wake()), cancellationToken);

    /// <summary>Runs a request; the queue slot is taken when the enumeration starts and given back however it ends.</summary>
    private async IAsyncEnumerable<AudioChunk> RunAsync(SynthesisRequest request, TimbreFeatures timbre, int flowSteps,
        IAsyncEnumerable<string>? text, SpeechInput? speech, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var job = Accept(request, timbre, flowSteps, text, speech);
        CancellationTokenRegistration registration = default;
        try
        {
            registration = cancellationToken.UnsafeRegister(static (state, token) =>
                ((SynthesisJob)state!).TryEnd(new OperationCanceledException(token)), job);
            await SubmitAsync(job).ConfigureAwait(false);
            while (await job.Output.WaitAsync().ConfigureAwait(false))
            {
                while (job.Output.TryRead(out var chunk))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return chunk!;
                }
            }
        }
        finally
        {
            // Left early (break, an exception in the consumer): that is a cancellation, too.
            job.TryEnd(new OperationCanceledException("The enumeration of the audio was ended early.", cancellationToken));
            await registration.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Extracts a voice on the encode thread.</summary>
    public async ValueTask<TimbreFeatures> ExtractAsync(AudioClip reference, string? transcript, CancellationToken cancellationToken)
    {
        _gate.ThrowIfClosed();
        var extraction = new TimbreExtraction(reference, transcript, cancellationToken);
        // Whoever stops waiting does not look at the result any more.
        _ = extraction.Result.Task.ContinueWith(static result =>
            _ = result.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        try
        {
            await _encode.PostAsync(new EncodeMessage(null, extraction), cancellationToken).ConfigureAwait(false);
        }
        catch (System.Threading.Channels.ChannelClosedException)
        {
            throw _gate.Closed();
        }
        return await extraction.Result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public TtsPipelineStatus Status() => new()
    {
        ActiveRequests = _gate.Active,
        MaxActiveRequests = _options.MaxActiveRequests,
        Stages = Stages(),
        KvBlocksInUse = _language.KvBlocksInUse,
        LanguageSequences = _language.Held,
        DecodeUtterances = _decode.Held,
        DecodeCacheBytes = _decode.CacheBytes,
        FlowCacheBytes = _decode.Memory.Pool,
        FlowCacheBytesInUse = _decode.Memory.InUse,
        FlowPromptBytes = _decode.Memory.Prompts,
    };

    /// <summary>Accepts no more requests and waits until those that run are done.</summary>
    /// <returns>Whether they were, within the time.</returns>
    public Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken) => _gate.DrainAsync(timeout, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_gate.Close())
        {
            foreach (var job in _jobs.Values)
                job.TryEnd(new ObjectDisposedException(nameof(TtsPipeline), "The pipeline was disposed while the request ran."));
            QueueGauge.Remove(this);
        }
        await _stopped.Value.ConfigureAwait(false);
        _processEnd.Dispose();
    }

    /// <summary>Ends the stages in the order of the messages, so that each has taken what the one before it sent.</summary>
    private async Task StopStagesAsync()
    {
        _encode.Stop();
        await _encode.Ended.ConfigureAwait(false);
        _language.Stop();
        await _language.Ended.ConfigureAwait(false);
        _decode.Stop();
        await _decode.Ended.ConfigureAwait(false);
    }

    private async Task ChangeAsync(StyleChange change)
    {
        try
        {
            await _language.PostAsync(new LanguageMessage(null, null, false, Change: change), CancellationToken.None).ConfigureAwait(false);
        }
        catch (System.Threading.Channels.ChannelClosedException)
        {
            if (!change.IsRemoval)
                change.Style.Model.Dispose();
            throw _gate.Closed();
        }
        await change.Done.Task.ConfigureAwait(false);
    }

    private SynthesisJob Accept(SynthesisRequest request, TimbreFeatures timbre, int flowSteps, IAsyncEnumerable<string>? text, SpeechInput? speech)
    {
        _gate.Enter();
        var active = _admission.Enter();
        LanguageStyle? style = null;
        try
        {
            _gate.ThrowIfClosed();
            if (active > _options.MaxActiveRequests)
            {
                _reports.Refused(request, _options.MaxActiveRequests);
                throw new TtsQueueFullException(_options.MaxActiveRequests);
            }
            style = speech is null ? Styles.Enter(request) : null;
            return CreateJob(request, style, timbre, flowSteps, text, speech);
        }
        catch
        {
            style?.Leave();
            Leave();
            throw;
        }
    }

    private SynthesisJob CreateJob(SynthesisRequest request, LanguageStyle? style, TimbreFeatures timbre, int flowSteps,
        IAsyncEnumerable<string>? text, SpeechInput? speech)
    {
        var seed = unchecked((ulong)(request.Seed ?? Random.Shared.NextInt64()));
        var capacity = Math.Max(1, (long)(_options.MaxBufferedAudio.TotalSeconds * _decoder.SampleRate));
        var job = new SynthesisJob(_admission.NextId(), request, timbre, seed, flowSteps, capacity, _time, WakeAfterConsumer, OnEnded)
        {
            Source = text is null ? null : new TextSource(text, MaxPendingText, _options.TextPause, _options.TextIdleTimeout),
            Speech = speech,
            Style = style,
            Activity = _reports.Begun(request),
        };
        _reports.Accepted(job);
        _jobs[job.Id] = job;
        return job;
    }

    private async ValueTask SubmitAsync(SynthesisJob job)
    {
        if ((job.Request.Timeout ?? _options.RequestTimeout) is { } total)
            job.Own(_time.CreateTimer(_ => job.TryEnd(new TtsTimeoutException(nameof(SynthesisRequest.Timeout), total)), null, total,
            Timeout.InfiniteTimeSpan));
        if (job.Request.FirstAudioTimeout is { } first)
            job.Own(_time.CreateTimer(_ => EndWithoutAudio(job, first), null, first, Timeout.InfiniteTimeSpan));
        if (_gate.IsClosed)
            job.TryEnd(_gate.Closed()); // closed since it was accepted, perhaps before it was among the jobs to end
        try
        {
            await _encode.PostAsync(new EncodeMessage(job, null), job.Aborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            job.TryEnd(_gate.Closed());
            return;
        }
        if (job.Source is { } source)
            _ = source.PumpAsync(job, _encode.Wake);
        if (job.Speech?.Source is { } pieces)
            _ = pieces.PumpAsync(job, _encode.Wake);
    }

    private static void EndWithoutAudio(SynthesisJob job, TimeSpan limit)
    {
        if (job.Chunks == 0)
            job.TryEnd(new TtsTimeoutException(nameof(SynthesisRequest.FirstAudioTimeout), limit));
    }

    /// <summary>The one place where a job leaves, whichever way it ended.</summary>
    private void OnEnded(SynthesisJob job)
    {
        _jobs.TryRemove(job.Id, out _);
        job.Style?.Leave();
        _encode.Wake();
        _language.Wake();
        _decode.Wake();
        _reports.Ended(job);
        Leave();
    }

    /// <summary>A stage's thread ended on an error: without it no request can be served, so all are told at once.</summary>
    private void OnStageDied(Exception cause)
    {
        _gate.Lose(cause);
        foreach (var job in _jobs.Values)
            job.TryEnd(_gate.Closed());
        _ = _stopped.Value; // frees what the others hold
    }

    private StageStatus[] Stages() =>
        [_encode.Status() with { Device = _device }, _language.Status() with { Device = _device }, _decode.Status() with { Device = _device }];

    private void Leave()
    {
        _admission.Leave();
        _gate.Leave();
    }

    private void WakeAfterConsumer()
    {
        _decode.Wake();
        _language.Wake();
    }
}
