using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Keeps pages of other origins from using the server through their visitor's browser. CORS hides the answers from
/// them, but it lets them send forms, and it does not hold for web sockets at all.</summary>
internal static class Origins
{
    private static readonly Failure Foreign = new(StatusCodes.Status403Forbidden, "origin_refused",
        "Pages of this origin may not call this server: its Server:CorsOrigins does not name it.");

    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var method = context.Request.Method;
        var changes = context.WebSockets.IsWebSocketRequest
            || !(HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method));
        return !changes || IsKnown(context) ? next(context) : throw new RequestFailedException(Foreign);
    }

    /// <summary>Whether no page sends it, or one of the server's own or a named origin.</summary>
    private static bool IsKnown(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.Origin.ToString() is not { Length: > 0 } origin || headers["Sec-Fetch-Site"] == "same-origin")
            return true;
        // A proxy may have put its own name into Host; no page can set the header that then has the browser's.
        return Uri.TryCreate(origin, UriKind.Absolute, out var sender)
            && (IsHost(sender, context.Request.Host.Value) || IsHost(sender, headers["X-Forwarded-Host"]))
            || context.RequestServices.GetRequiredService<ServerOptions>().CorsOrigins.Exists(known => known == "*" || known == origin);
    }

    private static bool IsHost(Uri sender, string? host) => sender.Authority.Equals(host, StringComparison.OrdinalIgnoreCase);
}
