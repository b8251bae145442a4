namespace LightTts.Samples.Server.Hosting;

/// <summary>Gives every request an id: the client's own where it sends a decent one.</summary>
internal static class RequestIds
{
    private const int MaxLength = 128;
    private const string Header = "X-Request-Id";

    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var sent = context.Request.Headers[Header].ToString();
        context.TraceIdentifier = sent.Length is > 0 and <= MaxLength && sent.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? sent
            : Guid.NewGuid().ToString("N");
        context.Response.Headers[Header] = context.TraceIdentifier;
        return next(context);
    }
}
