using System.Net;
using System.Net.Http.Headers;

namespace LightTts.Hub;

/// <summary>Asks a hub: follows its redirects without carrying the token to other hosts, and turns its refusals into errors that say the
/// cure.</summary>
internal sealed class HubClient : IDisposable
{
    private const int MaxRedirects = 10;

    private readonly HubSettings _settings;
    private readonly PullReport _report;
    private readonly HttpClient _http;
    private readonly Uri _endpoint;

    /// <param name="settings">Where the hub is, and who asks.</param>
    /// <param name="report">Told of what fails and is tried again.</param>
    public HubClient(HubSettings settings, PullReport report)
    {
        (_settings, _report) = (settings, report);
        _endpoint = new Uri(settings.Endpoint);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            MaxConnectionsPerServer = 64,
        }) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LightTts",
            typeof(HubClient).Assembly.GetName().Version?.ToString(2) ?? "0"));
    }

    /// <summary>Sends a request and follows its redirects.</summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="address">An address of the endpoint's.</param>
    /// <param name="from">The first byte wanted; 0 for all.</param>
    /// <param name="elsewhere">Whether redirects to other hosts are followed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer's head; its body is still to be read.</returns>
    /// <exception cref="TtsDownloadException">The hub refuses.</exception>
    /// <exception cref="HubBusyException">It may answer later.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, long from, bool elsewhere, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(method, address);
            // Bytes as they are: ranges and checksums are of the file, not of a compressed form.
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            if (from > 0)
                request.Headers.Range = new RangeHeaderValue(from, null);
            if (_settings.Token is { } token && IsEndpoint(address))
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                if (response.IsSuccessStatusCode)
                    return response;
                using (response)
                    throw Refusal(response, address);
            }
            var target = new Uri(address, location);
            if (!elsewhere && !IsSameHost(address, target))
                return response;
            response.Dispose();
            if (target.Scheme is not ("http" or "https") || (address.Scheme == "https" && target.Scheme == "http"))
                throw new TtsDownloadException($"{address.Host} redirects to '{target}', which is not encrypted; that is refused. Use another "
                    + "endpoint.");
            if (redirects == MaxRedirects)
                throw new TtsDownloadException($"{address.Host} redirects in circles. Use another endpoint, or try again later.");
            address = target;
        }
    }

    /// <summary>Counts the tries of a piece of work.</summary>
    /// <param name="isFirst">Whether nothing has come from the hub yet.</param>
    public Retries CreateRetries(bool isFirst) => new(_settings, _report, isFirst);

    public void Dispose() => _http.Dispose();

    private bool IsEndpoint(Uri address) => IsSameHost(_endpoint, address);

    private static bool IsSameHost(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && one.Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase);

    private Exception Refusal(HttpResponseMessage response, Uri address)
    {
        var status = response.StatusCode;
        var code = response.Headers.TryGetValues("X-Error-Code", out var values) ? values.FirstOrDefault() : null;
        var signIn = _settings.Kind == ModelHubKind.ModelScope ? "MODELSCOPE_API_TOKEN" : "HF_TOKEN";
        var said = $"{address.Host} answers {(int)status} ({status})";
        TtsDownloadException Fail(string cure) => new($"{said}: {cure}") { StatusCode = status };
        switch (status)
        {
            // A signed address of another host that has run out: the endpoint signs a new one.
            case HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized when !IsEndpoint(address):
                return Busy();
            case HttpStatusCode.Unauthorized when _settings.Token is null:
                return Fail("the model does not exist, or not everybody may read it. Check its name, or set "
                    + $"{signIn} (--token) to a token that may.");
            case HttpStatusCode.Unauthorized:
                return Fail($"the token is not valid, or the model does not exist. Make a new token and set {signIn} (--token), or check the name.");
            case HttpStatusCode.Forbidden:
                return Fail(code == "GatedRepo" ? "the model's terms have to be accepted first, on its page, by the owner of the token."
                    : _settings.Token is null ? $"this may not be read without a token: set {signIn} (--token)."
                    : "this may not be read with this token; use another one.");
            case HttpStatusCode.NotFound:
                return Fail(code == "RevisionNotFound" ? $"the model has no revision '{_settings.Revision}'. Leave --revision out for the main one."
                    : "there is no such model, revision or file. Check the name and the revision.");
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                return Busy();
            default:
                return Fail("that is not how a hub of models answers. Check the endpoint (HF_ENDPOINT, --endpoint).");
        }
        HubBusyException Busy() => new(said, status, RetryAfter(response));
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _settings.Options.TimeProvider.GetUtcNow(),
        _ => null,
    };
}
