using Microsoft.Extensions.Logging;

namespace LightTts.Extensions.Hosting;

/// <summary>The life of one hosted pipeline: loaded once, by whoever asks first; drained once, however the host ends.</summary>
internal sealed class PipelineHost : ITtsPipelineHost, IAsyncDisposable, IDisposable
{
    private readonly LightTtsOptions _options;
    private readonly IPipelineLoader _loader;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private Task<ITtsPipeline>? _load;
    private Task? _close;
    private ITimer? _deadline;
    private long _stopStarted;
    private int _late;
    private volatile ITtsPipeline? _ready;
    private volatile bool _stopping;
    private TtsLoadProgress _progress = new("nothing", 0);

    public PipelineHost(LightTtsOptions options, IPipelineLoader loader, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _loader = loader;
        _loggers = loggers;
        _log = loggers.CreateLogger(HostingLog.Category);
        Time = time;
        Pipeline = new HostedPipeline(this);
    }

    /// <summary>What is handed out as the pipeline, loaded or not.</summary>
    public HostedPipeline Pipeline { get; }

    public LightTtsOptions Options => _options;

    public TimeProvider Time { get; }

    /// <summary>The pipeline itself, once it is loaded.</summary>
    public ITtsPipeline? Ready => _ready;

    /// <summary>The model's name, or its directory's while that is all that is known.</summary>
    public string ModelName => Model?.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(_options.ModelPath ?? TtsPipeline.DefaultModelPath));

    public TtsModelInfo? Model => _ready?.Model;

    public TtsPipelineStatus? Status => _ready?.Status;

    public Exception? Error => Load is { IsFaulted: true } load ? load.Exception!.InnerException : null;

    public TtsLoadProgress Progress
    {
        get
        {
            lock (_gate)
                return _progress;
        }
    }

    public TtsPipelineState State
    {
        get
        {
            lock (_gate)
            {
                if (_close is not null)
                    return _close.IsCompleted ? TtsPipelineState.Stopped : TtsPipelineState.Stopping;
                if (_stopping)
                    return TtsPipelineState.Stopping;
                return _ready is not null ? TtsPipelineState.Ready
                    : _load is null ? TtsPipelineState.NotLoaded
                    : _load.IsFaulted ? TtsPipelineState.Faulted
                    : TtsPipelineState.Loading;
            }
        }
    }

    private bool IsClosing
    {
        get
        {
            lock (_gate)
                return _close is not null;
        }
    }

    private Task<ITtsPipeline>? Load
    {
        get
        {
            lock (_gate)
                return _load;
        }
    }

    public Task WaitUntilReadyAsync(CancellationToken cancellationToken = default) => GetAsync(cancellationToken);

    /// <summary>The loaded pipeline; the first caller starts the load.</summary>
    public async Task<ITtsPipeline> GetAsync(CancellationToken cancellationToken)
    {
        Task<ITtsPipeline> load;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_close is not null, typeof(ITtsPipeline));
            load = _load ??= Task.Run(LoadAsync, CancellationToken.None);
        }
        try
        {
            return await load.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(ITtsPipeline), "The host stopped before the model was loaded.");
        }
    }

    /// <summary>The host begins to stop: the readiness check says so, and what runs has until the deadline.</summary>
    public void BeginStop()
    {
        lock (_gate)
        {
            if (_stopping || _close is not null)
                return;
            _stopping = true;
            _stopStarted = Time.GetTimestamp();
            if (_ready is null)
                return;
            _deadline = Time.CreateTimer(_ => EndLate(), null, _options.DrainTimeout, Timeout.InfiniteTimeSpan);
        }
        HostingLog.Draining(_log, ModelName, Status!.ActiveRequests, _options.DrainTimeout.TotalSeconds);
    }

    /// <summary>Accepts no more requests, waits for those that run until the deadline, and closes the pipeline.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        BeginStop();
        if (_ready is { } ready && !IsClosing)
        {
            var left = _options.DrainTimeout - Time.GetElapsedTime(_stopStarted);
            var drained = await DrainAsync(ready, left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            if (!drained)
                EndLate();
            else if (!IsClosing)
                HostingLog.Drained(_log, ModelName);
        }
        await Close().ConfigureAwait(false);
    }

    /// <summary>Gives up a load that runs, ends what the pipeline does, and frees it. More than once is harmless.</summary>
    public async ValueTask DisposeAsync() => await Close().ConfigureAwait(false);

    /// <summary>For service providers that are disposed synchronously.</summary>
    public void Dispose() => Close().GetAwaiter().GetResult();

    /// <summary>The deadline has come: ends what still runs, and says so once.</summary>
    private void EndLate()
    {
        if (Interlocked.Exchange(ref _late, 1) == 0 && !IsClosing)
            HostingLog.DrainTimedOut(_log, ModelName, Status!.ActiveRequests);
        _ = Close();
    }

    private Task Close()
    {
        lock (_gate)
            return _close ??= Task.Run(CloseAsync);
    }

    private async Task CloseAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        _deadline?.Dispose();
        try
        {
            if (Load is { } load)
            {
                var loaded = await load.ConfigureAwait(false);
                await loaded.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception) when (_ready is null)
        {
            // The load was given up or had failed: it was logged and has freed what it had.
        }
        catch (Exception e)
        {
            HostingLog.CloseFailed(_log, e, ModelName);
        }
    }

    private static async Task<bool> DrainAsync(ITtsPipeline ready, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await ready.DrainAsync(timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false; // the host's own shutdown timeout came first
        }
    }

    private async Task<ITtsPipeline> LoadAsync()
    {
        var started = Time.GetTimestamp();
        HostingLog.Loading(_log, ModelName, _options.WarmUp);
        ITtsPipeline? loaded = null;
        try
        {
            var options = _options.ToPipelineOptions();
            options.LoggerFactory = _loggers;
            options.TimeProvider = Time;
            loaded = await _loader.LoadAsync(options, new Reporter(this), _closing.Token).ConfigureAwait(false);
            if (_options.WarmUp != WarmUpMode.Lazy)
                await WarmUpAsync(loaded, _closing.Token).ConfigureAwait(false);
            _closing.Token.ThrowIfCancellationRequested();
            _ready = loaded;
            HostingLog.Ready(_log, ModelName, Time.GetElapsedTime(started).TotalSeconds);
            return loaded;
        }
        catch (Exception e)
        {
            if (loaded is not null)
                await loaded.DisposeAsync().ConfigureAwait(false);
            if (e is not OperationCanceledException)
                HostingLog.LoadFailed(_log, e, ModelName);
            throw;
        }
    }

    /// <summary>Speaks a word, so that the first request finds memory, kernels and graphs ready.</summary>
    private async Task WarmUpAsync(ITtsPipeline pipeline, CancellationToken cancellationToken)
    {
        if (pipeline.Model.DefaultVoice is null)
        {
            HostingLog.NotWarmedUp(_log, pipeline.Model.Name);
            return;
        }
        await foreach (var _ in pipeline.SynthesizeAsync(new SynthesisRequest { Text = "Hello.", Seed = 0 }, cancellationToken).ConfigureAwait(false))
        {
        }
    }

    private sealed class Reporter(PipelineHost host) : IProgress<TtsLoadProgress>
    {
        public void Report(TtsLoadProgress value)
        {
            lock (host._gate)
                host._progress = value;
            HostingLog.Progress(host._log, host.ModelName, value.Step, value.Fraction * 100);
        }
    }
}
