using LightTts.Samples.Server.Metrics;

namespace LightTts.Samples.Server.Requests;

/// <summary>Runs a request from its first check to its line in the log; whatever happens in it, it is answered or its connection is ended.</summary>
internal sealed class RequestRunner(ServerMetrics metrics, ClientDirectory clients, Admission admission, TimeProvider time, ILoggerFactory loggers)
{
    private readonly ILogger _log = loggers.CreateLogger("LightTts.Server");

    public ILogger Log => _log;

    /// <summary>Serves a request that speaks.</summary>
    /// <param name="context">The request.</param>
    /// <param name="route">Its route, for the log and the metrics.</param>
    /// <param name="answer">Writes a failure in the route's shape.</param>
    /// <param name="serve">Does the work; it takes its place itself, once everything is checked.</param>
    public async Task RunAsync(HttpContext context, string route, Func<HttpContext, Failure, Task> answer, Func<Client, RequestRecord, Task> serve)
    {
        var record = new RequestRecord(route, metrics, time);
        metrics.Began();
        Failure? failure = null;
        Exception? error = null;
        try
        {
            var client = clients.Identify(context);
            record.Client = client.Name;
            admission.ThrowIfNotReady();
            if (!context.WebSockets.IsWebSocketRequest) // a socket takes its place with its first text
                admission.ThrowIfFull(client); // before an upload is read for nothing
            await serve(client, record);
        }
        catch (Exception e)
        {
            error = e;
            failure = Failure.Of(context.RequestAborted.IsCancellationRequested && e is not RequestFailedException ? new OperationCanceledException()
                : e);
            await AnswerAsync(context, failure, answer);
        }
        finally
        {
            record.End(_log, context.TraceIdentifier, failure, error);
        }
    }

    /// <summary>Serves a request that does not speak.</summary>
    public async Task RunQuietlyAsync(HttpContext context, Func<HttpContext, Failure, Task> answer, Func<Client, Task> serve)
    {
        try
        {
            await serve(clients.Identify(context));
        }
        catch (Exception e)
        {
            var failure = Failure.Of(e);
            if (failure.IsOurs)
                // The route's pattern, not the path: a path is the client's text.
                ServerLog.Failed(_log, e, context.TraceIdentifier, (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "-", "-",
                    failure.Status, failure.Code, 0, 0);
            await AnswerAsync(context, failure, answer);
        }
    }

    /// <summary>Says how and when to come back, where that is known.</summary>
    public static void Prepare(HttpResponse response, Failure failure)
    {
        response.StatusCode = failure.Status;
        if (failure.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1,
            (int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (failure == Failure.Stopping)
            response.Headers.Connection = "close";
        if (failure.Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
    }

    private static async Task AnswerAsync(HttpContext context, Failure failure, Func<HttpContext, Failure, Task> answer)
    {
        if (context.RequestAborted.IsCancellationRequested || (context.WebSockets.IsWebSocketRequest && context.Response.HasStarted))
            return; // gone, or told by its close frame
        if (context.Response.HasStarted)
        {
            context.Abort(); // a body that breaks off is the only sign that is left
            return;
        }
        try
        {
            context.Response.Clear();
            context.Response.Headers["X-Request-Id"] = context.TraceIdentifier;
            await answer(context, failure);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client did not wait for it.
        }
    }
}
