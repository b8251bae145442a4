namespace LightTts.Extensions.Hosting;

/// <summary>The timbre store as a host hands it out. What learns a voice waits for the model; what only looks needs it loaded.</summary>
internal sealed class HostedTimbreStore(PipelineHost host) : ITimbreStore
{
    private ITimbreStore Store => host.Ready?.Pipeline.Timbres ?? throw HostedPipeline.NotLoaded(host);

    public async ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default)
    {
        var loaded = await host.GetAsync(cancellationToken).ConfigureAwait(false);
        return await loaded.Pipeline.Timbres.AddAsync(reference, transcript, name, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<TimbreLookup> GetOrAddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default)
    {
        var loaded = await host.GetAsync(cancellationToken).ConfigureAwait(false);
        return await loaded.Pipeline.Timbres.GetOrAddAsync(reference, transcript, name, cancellationToken).ConfigureAwait(false);
    }

    public Timbre? Get(string nameOrId) => Store.Get(nameOrId);

    public bool TryGet(string nameOrId, out TimbreLookup lookup) => Store.TryGet(nameOrId, out lookup);

    public IReadOnlyList<TimbreInfo> List() => Store.List();

    public bool Remove(string nameOrId) => Store.Remove(nameOrId);

    public bool Pin(string nameOrId) => Store.Pin(nameOrId);

    public bool Unpin(string nameOrId) => Store.Unpin(nameOrId);

    public void Export(string nameOrId, Stream destination) => Store.Export(nameOrId, destination);

    public Timbre Import(Stream source, string? name = null) => Store.Import(source, name);

    /// <summary>The pipeline closes its store.</summary>
    public void Dispose()
    {
    }
}
