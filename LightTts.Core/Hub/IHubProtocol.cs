namespace LightTts.Hub;

/// <summary>How a kind of hub is asked.</summary>
internal interface IHubProtocol
{
    /// <summary>All files of a model at the wanted revision.</summary>
    Task<HubListing> ListAsync(HubClient client, string repository, CancellationToken cancellationToken);

    /// <summary>Where a file of a listing is.</summary>
    Uri AddressOf(string repository, string commit, string path);
}
