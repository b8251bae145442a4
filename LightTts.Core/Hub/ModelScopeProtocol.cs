using System.Security.Cryptography;
using System.Text;

namespace LightTts.Hub;

/// <summary>The routes of modelscope.cn: <c>/api/v1/models/{name}/repo/files</c> and <c>/api/v1/models/{name}/repo?FilePath=</c>.</summary>
internal sealed class ModelScopeProtocol(HubSettings settings) : IHubProtocol
{
    public async Task<HubListing> ListAsync(HubClient client, string repository, CancellationToken cancellationToken)
    {
        var address = new Uri($"{settings.Endpoint}/api/v1/models/{repository}/repo/files?Revision={Uri.EscapeDataString(settings.Revision)}"
            + "&Recursive=true");
        using var json = await HubJson.GetAsync(client, address, settings, cancellationToken).ConfigureAwait(false);
        if (!json.RootElement.TryGetProperty("Data", out var data) || HubJson.Array(data, "Files") is not { } items)
            throw HubJson.Strange(address);
        List<HubFile> files = [];
        foreach (var item in items)
        {
            if (HubJson.Text(item, "Type") == "tree")
                continue;
            var (path, length, checksum) = (HubJson.Text(item, "Path"), HubJson.Number(item, "Size"), HubJson.Text(item, "Sha256"));
            if (path is null || length is null || !HubFile.IsChecksum(checksum))
                throw HubJson.Strange(address);
            HubJson.CheckPath(path, address);
            files.Add(new HubFile(path, length.Value, checksum!));
        }
        // This hub names no commit of the whole: the content does.
        var facts = string.Join('\n', files.OrderBy(file => file.Path, StringComparer.Ordinal).Select(file => $"{file.Checksum} {file.Path}"));
        return new HubListing(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(facts)))[..40], files);
    }

    public Uri AddressOf(string repository, string commit, string path) => new($"{settings.Endpoint}/api/v1/models/{repository}/repo"
        + $"?Revision={Uri.EscapeDataString(settings.Revision)}&FilePath={Uri.EscapeDataString(path)}");
}
