using System.Globalization;
using LightTts.FileSystem;

namespace LightTts.Hub;

/// <summary>Brings a model into the cache: what is there stays, what is missing is fetched, several files at a time.</summary>
internal sealed class HubPull : IDisposable
{
    // The lock's own timer knows no infinity.
    private static readonly TimeSpan s_forEver = TimeSpan.FromDays(24);

    private readonly HubSettings _settings;
    private readonly HubClient _client;
    private readonly HubCache _cache;
    private readonly IHubProtocol _protocol;
    private readonly PullReport _report;

    public HubPull(HubSettings settings, HubCache cache, IProgress<ModelPullProgress>? progress)
    {
        (_settings, _cache) = (settings, cache);
        _protocol = settings.Kind == ModelHubKind.ModelScope ? new ModelScopeProtocol(settings) : new HuggingFaceProtocol(settings);
        _report = new PullReport(progress);
        _client = new HubClient(settings, _report);
    }

    /// <param name="select">Of the names of all files and the folder of the snapshot as far as it is there, those that are needed. It is asked again
    /// when they have come, for some of them may name others.</param>
    /// <param name="cancellationToken">Ends it; what has come stays.</param>
    /// <returns>The commit.</returns>
    public async Task<string> RunAsync(Func<IReadOnlyCollection<string>, string, IReadOnlyCollection<string>> select,
        CancellationToken cancellationToken)
    {
        var listing = await _protocol.ListAsync(_client, _cache.Repository, cancellationToken).ConfigureAwait(false);
        var files = listing.Files.DistinctBy(file => file.Path).ToDictionary(file => file.Path, StringComparer.Ordinal);
        try
        {
            _cache.Prepare();
            var done = new HashSet<string>(StringComparer.Ordinal);
            while (true)
            {
                var wanted = select(files.Keys, _cache.Snapshot(listing.Commit)).Where(done.Add).Select(path => files[path]).ToList();
                if (wanted.Count == 0)
                    break;
                await FetchAsync(wanted, listing.Commit, cancellationToken).ConfigureAwait(false);
            }
            _cache.SetCommit(_settings.Revision, listing.Commit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TtsDownloadException($"{_cache.Folder}: {e.Message} Check the folder, or name another one (HF_HUB_CACHE, --cache).", e);
        }
        return listing.Commit;
    }

    public void Dispose() => _client.Dispose();

    private async Task FetchAsync(List<HubFile> files, string commit, CancellationToken cancellationToken)
    {
        foreach (var file in files)
            _report.Expect(file.Length);
        NeedRoom(files.Where(file => !_cache.Has(file, commit)).DistinctBy(file => file.Checksum).Sum(file => file.Length - _cache.Waiting(file)));
        // The large ones first: they decide when it is done.
        await Parallel.ForEachAsync(files.OrderByDescending(file => file.Length),
            new ParallelOptions { MaxDegreeOfParallelism = _settings.Options.MaxParallelFiles, CancellationToken = cancellationToken },
            (file, token) => FetchAsync(file, commit, token)).ConfigureAwait(false);
    }

    private async ValueTask FetchAsync(HubFile file, string commit, CancellationToken cancellationToken)
    {
        // Whoever else fetches it, in this process or another: we wait, and find it there.
        using var held = await FileLock.TryAcquireAsync(_cache.Lock(file), s_forEver, deleteAfterwards: false, anyOwner: true, cancellationToken)
            .ConfigureAwait(false) ?? throw new TtsDownloadException($"{file.Path}: another process has been fetching it for days. End that one.");
        if (_cache.Has(file, commit))
            _report.Add(file, file.Length, file.Length);
        else
            await new BlobDownload(_client, _settings, _report).RunAsync(_protocol.AddressOf(_cache.Repository, commit, file.Path), file,
                _cache.Blob(file), cancellationToken).ConfigureAwait(false);
        _cache.Link(file, commit);
    }

    private void NeedRoom(long bytes)
    {
        var free = new DriveInfo(_cache.Folder).AvailableFreeSpace;
        if (bytes > free)
            throw new TtsDownloadException(string.Create(CultureInfo.InvariantCulture,
                $"{_cache.Folder}: {bytes / 1e6:N0} MB are needed and {free / 1e6:N0} MB are free. Make room, or name another folder (HF_HUB_CACHE, "
                + $"--cache)."));
    }
}
