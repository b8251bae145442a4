using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LightTts.Hub;

/// <summary>How often and after what time a hub is asked again: each piece of work counts for itself.</summary>
/// <param name="settings">How often.</param>
/// <param name="report">Told of every wait.</param>
/// <param name="isFirst">Whether nothing has come from the hub yet, so that one who is not there may never have been.</param>
internal sealed class Retries(HubSettings settings, PullReport report, bool isFirst)
{
    private const int MostOfNobody = 2; // after the first try

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private int _failures;

    /// <summary>Something came: the count starts anew.</summary>
    public void Progressed() => _failures = 0;

    /// <summary>Whether an error may be gone at the next try.</summary>
    public static bool IsPassing(Exception error, StallGuard guard, CancellationToken cancellationToken) => !cancellationToken.IsCancellationRequested
        && (error is HttpRequestException or HubBusyException or IOException || (error is OperationCanceledException && guard.HasStalled));

    /// <summary>Waits before the next try.</summary>
    /// <param name="what">What was tried, for the message.</param>
    /// <param name="error">What came of it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TtsDownloadException">It has been tried often enough, or the hub asks for too long a wait.</exception>
    public async Task WaitAsync(string what, Exception error, CancellationToken cancellationToken)
    {
        var options = settings.Options;
        var busy = error as HubBusyException;
        TtsDownloadException Fail(string message) => new($"{what}: {message}", error) { StatusCode = busy?.Status };
        if (busy?.After > options.MaxRetryAfter)
            throw Fail(string.Create(CultureInfo.InvariantCulture,
                $"{busy.Message} and asks to wait {busy.After.Value.TotalSeconds:0} s. Try again then; what has been fetched is kept."));
        var most = IsNobody(error) ? Math.Min(MostOfNobody, options.MaxRetries) : options.MaxRetries;
        if (_failures++ >= most)
            throw Fail($"{Reason(error)} ({_failures} times in a row). {Cure(error)}");
        // 0.5, 1, 2, 4 ... 30 s, with up to a quarter on top, so that many clients do not come back together.
        var seconds = Math.Min(Longest.TotalSeconds, 0.5 * Math.Pow(2, _failures - 1)) * (1 + (Random.Shared.NextDouble() / 4));
        var wait = busy?.After is { } after && after >= TimeSpan.Zero ? after : TimeSpan.FromSeconds(seconds);
        report.Wait(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {Reason(error)}. Try {_failures + 1} of {most + 1} follows in {wait.TotalSeconds:0.0} s."));
        await Task.Delay(wait, options.TimeProvider, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A name that nobody knows, or an address where nobody listens, is a typing error or a network that is not there: neither is gone in
    /// half a minute.</summary>
    private bool IsNobody(Exception error) => error is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError }
        || (isFirst && error is HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } });

    private static string Reason(Exception error) => error is OperationCanceledException ? "the hub sends next to nothing" : error.Message;

    private static string Cure(Exception error) => error switch
    {
        HubBusyException { Status: HttpStatusCode.TooManyRequests } =>
            "Too much was asked of the hub: try again later, or with a token (HF_TOKEN). What has been fetched is kept.",
        HubBusyException => "The hub has trouble: try again later, or name another one (HF_ENDPOINT). What has been fetched is kept.",
        _ => "Check the network, the proxy (HTTPS_PROXY) and the endpoint (HF_ENDPOINT), and try again: what has been fetched is kept.",
    };
}
