using System.Runtime.CompilerServices;

namespace LightTts.Extensions.Hosting;

/// <summary>The pipeline as a host hands it out: works from the first moment, by letting requests wait until the model is loaded.</summary>
/// <remarks>Requests that wait are counted against <see cref="LightTtsOptions.MaxActiveRequests"/>, and their deadlines run.</remarks>
internal sealed class HostedPipeline : ITtsPipeline, IDisposable
{
    private readonly PipelineHost _host;
    private int _waiting;

    public HostedPipeline(PipelineHost host)
    {
        _host = host;
        Timbres = new HostedTimbreStore(host);
    }

    public PipelineHost Host => _host;

    public TtsModelInfo Model => _host.Model ?? throw NotLoaded(_host);

    public ITimbreStore Timbres { get; }

    public TtsPipelineStatus Status => _host.Status ?? new TtsPipelineStatus
    {
        ActiveRequests = Volatile.Read(ref _waiting),
        MaxActiveRequests = _host.Options.MaxActiveRequests,
        Stages = [],
        KvBlocksInUse = 0,
        LanguageSequences = 0,
        DecodeUtterances = 0,
        DecodeCacheBytes = 0,
    };

    public IReadOnlyList<string> Styles => _host.Ready?.Styles ?? [];

    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _host.Ready is { } ready ? ready.SynthesizeAsync(request, cancellationToken)
            : WhenLoadedAsync(request, null, cancellationToken);
    }

    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(IAsyncEnumerable<string> text, SynthesisRequest? request = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _host.Ready is { } ready ? ready.SynthesizeAsync(text, request, cancellationToken)
            : WhenLoadedAsync(request ?? new SynthesisRequest(), text, cancellationToken);
    }

    public IAsyncEnumerable<AudioChunk> ConvertAsync(AudioClip source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return _host.Ready is { } ready ? ready.ConvertAsync(source, request, cancellationToken)
            : ConvertWhenLoadedAsync(request ?? new ConversionRequest(), (pipeline, rest) => pipeline.ConvertAsync(source, rest, cancellationToken),
                cancellationToken);
    }

    public IAsyncEnumerable<AudioChunk> ConvertAsync(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return _host.Ready is { } ready ? ready.ConvertAsync(source, request, cancellationToken)
            : ConvertWhenLoadedAsync(request ?? new ConversionRequest(), (pipeline, rest) => pipeline.ConvertAsync(source, rest, cancellationToken),
                cancellationToken);
    }

    public async ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var loaded = await _host.GetAsync(cancellationToken).ConfigureAwait(false);
        return await loaded.NormalizeAsync(request, cancellationToken).ConfigureAwait(false);
    }

    public async Task AddStyleAsync(string name, string path, CancellationToken cancellationToken = default)
    {
        var loaded = await _host.GetAsync(cancellationToken).ConfigureAwait(false);
        await loaded.AddStyleAsync(name, path, cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken = default)
    {
        var loaded = await _host.GetAsync(cancellationToken).ConfigureAwait(false);
        return await loaded.RemoveStyleAsync(name, cancellationToken).ConfigureAwait(false);
    }

    public Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _host.Ready?.DrainAsync(timeout, cancellationToken) ?? Task.FromResult(true);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    public void Dispose() => _host.Dispose();

    /// <summary>What a member that cannot wait says while there is no model.</summary>
    public static InvalidOperationException NotLoaded(PipelineHost host) => new(host.Error is { } error
        ? $"The model '{host.ModelName}' could not be loaded: {error.Message}"
        : $"The model '{host.ModelName}' is not loaded yet. Await ITtsPipelineHost.WaitUntilReadyAsync first, or set LightTtsOptions.WarmUp to "
        + $"Blocking.");

    /// <summary>Waits for the model as a request: counted, and with its deadlines running.</summary>
    /// <returns>The pipeline itself, and the request with what is left of its deadlines.</returns>
    /// <exception cref="TtsQueueFullException">As many requests wait already as may be in the pipeline.</exception>
    /// <exception cref="TtsTimeoutException">A deadline of the request passed before the model was loaded.</exception>
    public async Task<(ITtsPipeline Pipeline, SynthesisRequest Request)> LoadedAsync(SynthesisRequest request, CancellationToken cancellationToken)
    {
        var started = _host.Time.GetTimestamp();
        var pipeline = await WaitAsync(request, cancellationToken).ConfigureAwait(false);
        return (pipeline, Rest(request, _host.Time.GetElapsedTime(started)));
    }

    private async IAsyncEnumerable<AudioChunk> WhenLoadedAsync(SynthesisRequest request, IAsyncEnumerable<string>? text,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (pipeline, rest) = await LoadedAsync(request, cancellationToken).ConfigureAwait(false);
        var audio = text is null ? pipeline.SynthesizeAsync(rest, cancellationToken) : pipeline.SynthesizeAsync(text, rest, cancellationToken);
        await foreach (var chunk in audio.ConfigureAwait(false))
            yield return chunk;
    }

    private async IAsyncEnumerable<AudioChunk> ConvertWhenLoadedAsync(ConversionRequest request,
        Func<ITtsPipeline, ConversionRequest, IAsyncEnumerable<AudioChunk>> convert, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var limits = new SynthesisRequest { Timeout = request.Timeout, FirstAudioTimeout = request.FirstAudioTimeout };
        var (pipeline, rest) = await LoadedAsync(limits, cancellationToken).ConfigureAwait(false);
        request = request with { Timeout = rest.Timeout, FirstAudioTimeout = rest.FirstAudioTimeout };
        await foreach (var chunk in convert(pipeline, request).ConfigureAwait(false))
            yield return chunk;
    }

    private async Task<ITtsPipeline> WaitAsync(SynthesisRequest request, CancellationToken cancellationToken)
    {
        var (deadline, limit) = FirstDeadline(request);
        try
        {
            if (Interlocked.Increment(ref _waiting) > _host.Options.MaxActiveRequests)
                throw new TtsQueueFullException(_host.Options.MaxActiveRequests);
            var loaded = await _host.GetAsync(cancellationToken).WaitAsync(limit, _host.Time, cancellationToken).ConfigureAwait(false);
            return loaded;
        }
        catch (TimeoutException)
        {
            throw new TtsTimeoutException(deadline, limit);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private (string Name, TimeSpan Limit) FirstDeadline(SynthesisRequest request)
    {
        // Deadlines that make no sense are left to the pipeline, which says so.
        var whole = Sensible(request.Timeout ?? _host.Options.RequestTimeout);
        var first = Sensible(request.FirstAudioTimeout);
        return first is not null && !(whole < first) ? (nameof(request.FirstAudioTimeout), first.Value)
            : (nameof(request.Timeout), whole ?? Timeout.InfiniteTimeSpan);
    }

    /// <summary>The request with what is left of its deadlines.</summary>
    private SynthesisRequest Rest(SynthesisRequest request, TimeSpan waited) => request with
    {
        Timeout = Less(request.Timeout ?? _host.Options.RequestTimeout, waited),
        FirstAudioTimeout = Less(request.FirstAudioTimeout, waited),
    };

    private static TimeSpan? Less(TimeSpan? limit, TimeSpan waited) =>
        Sensible(limit) is { } time ? TimeSpan.FromTicks(Math.Max(TimeSpan.TicksPerMillisecond, (time - waited).Ticks)) : limit;

    private static TimeSpan? Sensible(TimeSpan? time) => time > TimeSpan.Zero && time <= TimeSpan.FromDays(40) ? time : null;
}
