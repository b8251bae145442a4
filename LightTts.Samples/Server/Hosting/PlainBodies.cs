using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Refuses packed bodies: nothing here unpacks, so that a small upload cannot become a large one.</summary>
internal static class PlainBodies
{
    private static readonly Failure Packed = new(StatusCodes.Status415UnsupportedMediaType, "unsupported_encoding",
        "This server does not unpack bodies. Send it without Content-Encoding.");

    public static Task InvokeAsync(HttpContext context, RequestDelegate next) =>
        context.Request.Headers.ContentEncoding.ToString() is "" or "identity" ? next(context) : throw new RequestFailedException(Packed);
}
