using System.Runtime.CompilerServices;
using LightTts.Models;
using LightTts.Timbres;

namespace LightTts.Pipeline;

/// <summary>The replicas of a pipeline, one for each device. A request runs where the fewest are, and stays there; a device that is lost takes only
/// those with it that run on it, as long as the others still answer: after some errors of one card CUDA gives them for all of the
/// process.</summary>
/// <remarks>The fewest is where the next waits least: devices are much alike, rows of a batch cost much the same however long their texts,
/// and one that is slower keeps its requests longer, so that fewer come to it. Among equals the first is taken: there a voice's prompt was
/// prepared before.</remarks>
internal sealed class ReplicaSet(IReadOnlyList<Replica> replicas, int maxActiveRequests) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly int[] _assigned = new int[replicas.Count];

    /// <summary>The language models that requests can ask for: the same on all devices.</summary>
    public LanguageStyles Styles => (replicas.FirstOrDefault(replica => !replica.Engine.IsLost) ?? replicas[0]).Engine.Styles;

    private IEnumerable<Replica> Alive => replicas.Where(replica => !replica.Engine.IsLost);

    /// <summary>What one of several devices is called in statuses, logs and metrics: "cuda:1"; the second of the same is "cpu#2".</summary>
    public static string Label(IReadOnlyList<TtsDevice> devices, int index)
    {
        var earlier = devices.Take(index).Count(device => device == devices[index]);
        return earlier == 0 ? devices[index].ToString() : $"{devices[index]}#{earlier + 1}";
    }

    /// <summary>Ends when all are ready to serve, or with what kept one from that.</summary>
    public Task StartedAsync() => Task.WhenAll(replicas.Select(replica => replica.Engine.StartedAsync()));

    /// <summary>Runs a request on one of them.</summary>
    public IAsyncEnumerable<AudioChunk> RunAsync(SynthesisRequest request, TimbreFeatures timbre, int flowSteps, IAsyncEnumerable<string>? text,
        CancellationToken cancellationToken) =>
        OnOne(engine => engine.RunAsync(request, timbre, flowSteps, text, cancellationToken), cancellationToken);

    /// <inheritdoc cref="SynthesisEngine.ConvertAsync"/>
    public IAsyncEnumerable<AudioChunk> ConvertAsync(SynthesisRequest request, TimbreFeatures timbre, int flowSteps, AudioClip? clip,
        IAsyncEnumerable<AudioClip>? pieces, CancellationToken cancellationToken) =>
        OnOne(engine => engine.ConvertAsync(request, timbre, flowSteps, clip, pieces, cancellationToken), cancellationToken);

    /// <inheritdoc cref="SynthesisEngine.ExtractAsync"/>
    public async ValueTask<TimbreFeatures> ExtractAsync(AudioClip reference, string? transcript, CancellationToken cancellationToken)
    {
        var index = Take();
        try
        {
            return await replicas[index].Engine.ExtractAsync(reference, transcript, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Give(index);
        }
    }

    public TtsPipelineStatus Status()
    {
        var all = replicas.Select(replica => replica.Engine.Status()).ToList();
        return all is [var only] ? only : new TtsPipelineStatus
        {
            ActiveRequests = all.Sum(status => status.ActiveRequests),
            MaxActiveRequests = maxActiveRequests,
            Stages = [.. all.SelectMany(status => status.Stages)],
            KvBlocksInUse = all.Sum(status => status.KvBlocksInUse),
            LanguageSequences = all.Sum(status => status.LanguageSequences),
            DecodeUtterances = all.Sum(status => status.DecodeUtterances),
            DecodeCacheBytes = all.Sum(status => status.DecodeCacheBytes),
            FlowCacheBytes = all.Sum(status => status.FlowCacheBytes),
            FlowCacheBytesInUse = all.Sum(status => status.FlowCacheBytesInUse),
            FlowPromptBytes = all.Sum(status => status.FlowPromptBytes),
        };
    }

    /// <summary>Adds a language model on every device, or on none.</summary>
    /// <exception cref="ArgumentException">There is a style of that name.</exception>
    public async Task AddStyleAsync(string name, string path, CancellationToken cancellationToken)
    {
        List<LanguageStyles> added = [];
        try
        {
            foreach (var replica in Alive)
            {
                var model = await Task.Run(() => replica.LoadStyle(path, cancellationToken), cancellationToken).ConfigureAwait(false);
                await replica.Engine.Styles.AddAsync(name, model).ConfigureAwait(false);
                added.Add(replica.Engine.Styles);
            }
        }
        catch
        {
            await LanguageStyles.RemoveAsync(added, name, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc cref="LanguageStyles.RemoveAsync(string, CancellationToken)"/>
    public Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken) =>
        LanguageStyles.RemoveAsync([.. Alive.Select(replica => replica.Engine.Styles)], name, cancellationToken);

    /// <inheritdoc cref="SynthesisEngine.DrainAsync"/>
    public async Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var drains = replicas.Select(replica => replica.Engine.DrainAsync(timeout, cancellationToken));
        return Array.TrueForAll(await Task.WhenAll(drains).ConfigureAwait(false), done => done);
    }

    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(replicas.Select(replica => replica.Engine.DisposeAsync().AsTask())).ConfigureAwait(false);

    private IAsyncEnumerable<AudioChunk> OnOne(Func<SynthesisEngine, IAsyncEnumerable<AudioChunk>> run, CancellationToken cancellationToken) =>
        replicas is [var only] ? run(only.Engine) : OnTheLeastBusyAsync(run, cancellationToken);

    private async IAsyncEnumerable<AudioChunk> OnTheLeastBusyAsync(Func<SynthesisEngine, IAsyncEnumerable<AudioChunk>> run,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var index = Take();
        try
        {
            await foreach (var chunk in run(replicas[index].Engine).ConfigureAwait(false))
                yield return chunk;
        }
        finally
        {
            Give(index);
        }
    }

    /// <summary>Chooses a replica and counts what it is chosen for, so that those who choose in the same moment see each other.</summary>
    private int Take()
    {
        lock (_gate)
        {
            var best = -1;
            for (var i = 0; i < _assigned.Length; i++)
                if (!replicas[i].Engine.IsLost && (best < 0 || _assigned[i] < _assigned[best]))
                    best = i;
            best = Math.Max(0, best); // where all are lost, any of them says why
            _assigned[best]++;
            return best;
        }
    }

    private void Give(int index)
    {
        lock (_gate)
            _assigned[index]--;
    }
}
