namespace LightTts.Extensions.Hosting;

/// <summary>The timbre store as a host hands it out. What learns a voice waits for the model; what only looks needs it loaded.</summary>
internal sealed class HostedTimbreStore(PipelineHost host) : ITimbreStore
{
    private ITimbreStore Store => host.Ready?.Timbres ?? throw HostedPipeline.NotLoaded(host);

    public async ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        var loaded = await host.GetAsync(cancellationToken).ConfigureAwait(false);
        return await loaded.Timbres.AddAsync(reference, transcript, name, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<Timbre?> GetAsync(string nameOrId, CancellationToken cancellationToken = default) => Store.GetAsync(nameOrId, cancellationToken);

    public ValueTask<IReadOnlyList<TimbreInfo>> ListAsync(CancellationToken cancellationToken = default) => Store.ListAsync(cancellationToken);

    public ValueTask<bool> RemoveAsync(string nameOrId, CancellationToken cancellationToken = default) =>
        Store.RemoveAsync(nameOrId, cancellationToken);

    public ValueTask<bool> RenameAsync(string nameOrId, string newName, CancellationToken cancellationToken = default) =>
        Store.RenameAsync(nameOrId, newName, cancellationToken);

    public ValueTask<bool> SetPinnedAsync(string nameOrId, bool pinned, CancellationToken cancellationToken = default) =>
        Store.SetPinnedAsync(nameOrId, pinned, cancellationToken);

    public ValueTask ExportAsync(string nameOrId, Stream destination, CancellationToken cancellationToken = default) =>
        Store.ExportAsync(nameOrId, destination, cancellationToken);

    public ValueTask<Timbre> ImportAsync(Stream source, string? name = null, CancellationToken cancellationToken = default) =>
        Store.ImportAsync(source, name, cancellationToken);
}
