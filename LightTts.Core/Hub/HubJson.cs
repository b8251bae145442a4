using System.Text.Json;

namespace LightTts.Hub;

/// <summary>Answers of hubs in JSON, which nobody has checked.</summary>
internal static class HubJson
{
    private const int MaxBytes = 64 << 20;

    /// <exception cref="TtsDownloadException">The hub refuses, or answers with something else.</exception>
    public static async Task<JsonDocument> GetAsync(HubClient client, Uri address, HubSettings settings, CancellationToken cancellationToken)
    {
        var bytes = await TryAsync(async token =>
        {
            using var response = await client.SendAsync(HttpMethod.Get, address, 0, elsewhere: true, token).ConfigureAwait(false);
            await response.Content.LoadIntoBufferAsync(MaxBytes, token).ConfigureAwait(false);
            return await response.Content.ReadAsByteArrayAsync(token).ConfigureAwait(false);
        }, client, settings, address.Host, cancellationToken).ConfigureAwait(false);
        try
        {
            var json = JsonDocument.Parse(bytes);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json : throw Strange(address);
        }
        catch (JsonException e)
        {
            throw Strange(address, e);
        }
    }

    /// <summary>Tries something short until it is done or cannot be.</summary>
    public static async Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> work, HubClient client, HubSettings settings, string what,
        CancellationToken cancellationToken)
    {
        var retries = client.CreateRetries(isFirst: true);
        while (true)
        {
            using var guard = new StallGuard(settings.Options.TimeProvider, settings.Options.StallTimeout, cancellationToken);
            try
            {
                return await work(guard.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (Retries.IsPassing(e, guard, cancellationToken))
            {
                await retries.WaitAsync(what, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public static TtsDownloadException Strange(Uri address, Exception? inner = null) =>
        new($"{address} is not answered as by a hub of models. Check the endpoint (HF_ENDPOINT, --endpoint) and its kind (--hub).", inner);

    /// <exception cref="TtsDownloadException">The name leaves the folder of the model.</exception>
    public static void CheckPath(string path, Uri address)
    {
        if (!HubName.IsContained(path))
            throw new TtsDownloadException($"{address.Host} names a file '{(path.Length > 100 ? path[..100] : path)}' that would lie outside the "
                + "model's folder; nothing is fetched. Use another endpoint, and tell its owner.");
    }

    public static string? Text(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static long? Number(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0
        ? number : null;

    public static IEnumerable<JsonElement>? Array(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : null;
}
