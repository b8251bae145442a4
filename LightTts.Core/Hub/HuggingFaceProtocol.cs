using System.Text.Json;

namespace LightTts.Hub;

/// <summary>The routes of huggingface.co: <c>/api/models/{name}/revision/{revision}</c> and <c>/{name}/resolve/{commit}/{file}</c>.</summary>
internal sealed class HuggingFaceProtocol(HubSettings settings) : IHubProtocol
{
    public async Task<HubListing> ListAsync(HubClient client, string repository, CancellationToken cancellationToken)
    {
        var address = new Uri($"{settings.Endpoint}/api/models/{repository}/revision/{Uri.EscapeDataString(settings.Revision)}?blobs=true");
        using var json = await HubJson.GetAsync(client, address, settings, cancellationToken).ConfigureAwait(false);
        var commit = HubJson.Text(json.RootElement, "sha") ?? throw HubJson.Strange(address);
        if (!HubName.IsCommit(commit) || HubJson.Array(json.RootElement, "siblings") is not { } siblings)
            throw HubJson.Strange(address);
        List<HubFile> files = [];
        foreach (var sibling in siblings)
        {
            var path = HubJson.Text(sibling, "rfilename") ?? throw HubJson.Strange(address);
            HubJson.CheckPath(path, address);
            files.Add(Described(sibling, path) ?? await AskAsync(client, repository, commit, path, cancellationToken).ConfigureAwait(false));
        }
        return new HubListing(commit, files);
    }

    public Uri AddressOf(string repository, string commit, string path) =>
        new($"{settings.Endpoint}/{repository}/resolve/{commit}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}");

    private static HubFile? Described(JsonElement sibling, string path)
    {
        if (sibling.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object)
            return HubJson.Number(lfs, "size") is { } size && HubJson.Text(lfs, "sha256") is { } sha && HubFile.IsChecksum(sha)
                ? new HubFile(path, size, sha) : null;
        return HubJson.Number(sibling, "size") is { } length && HubJson.Text(sibling, "blobId") is { } blob && HubFile.IsChecksum(blob)
            ? new HubFile(path, length, blob) : null;
    }

    /// <summary>A mirror that lists names only says the rest in the head of each file: of the file itself, or of the redirect to
    /// where it is.</summary>
    private async Task<HubFile> AskAsync(HubClient client, string repository, string commit, string path, CancellationToken cancellationToken)
    {
        var address = AddressOf(repository, commit, path);
        using var response = await HubJson.TryAsync(token => client.SendAsync(HttpMethod.Head, address, 0, elsewhere: false, token), client,
            settings, address.ToString(), cancellationToken).ConfigureAwait(false);
        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
        var checksum = (Header("X-Linked-Etag") ?? Header("ETag"))?.Replace("W/", "", StringComparison.Ordinal).Trim('"').ToLowerInvariant();
        var length = long.TryParse(Header("X-Linked-Size"), out var linked) ? linked : response.Content.Headers.ContentLength;
        return length is >= 0 && HubFile.IsChecksum(checksum) ? new HubFile(path, length.Value, checksum!)
            : throw new TtsDownloadException($"{address.Host} gives no length or no checksum (ETag) of {path}, without which nothing is loaded. Use "
                + "another endpoint (HF_ENDPOINT, --endpoint).");
    }
}
