using System.Security.Cryptography;

namespace LightTts.Samples.Server.Page;

/// <summary>The page and the reader of the OpenAPI document: a few files inside the program, without anything from elsewhere.</summary>
internal static class WebPage
{
    private const string Prefix = "page/";

    // Nothing but what comes from here may run or be loaded, and nobody may put the page into a frame.
    private const string Policy = "default-src 'self'; media-src 'self' blob:; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> MediaTypes = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".json"] = "application/json",
    };

    public static void Map(WebApplication app)
    {
        var assembly = typeof(WebPage).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var name = resource[Prefix.Length..].Replace('\\', '/');
            var file = new PageFile(bytes, MediaTypes[System.IO.Path.GetExtension(name)], $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes)[..8])}\"");
            app.MapGet(Route(name), file.WriteAsync);
        }
    }

    private static string Route(string name) => name switch
    {
        "index.html" => "/",
        "docs.html" => "/docs",
        "openapi.json" => "/openapi.json",
        _ => "/page/" + name,
    };

    private sealed class PageFile(byte[] bytes, string mediaType, string tag)
    {
        public Task WriteAsync(HttpContext context)
        {
            var headers = context.Response.Headers;
            headers.ETag = tag;
            headers.CacheControl = "no-cache";
            headers.ContentSecurityPolicy = Policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            if (context.Request.Headers.IfNoneMatch == tag)
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }
            context.Response.ContentType = mediaType;
            context.Response.ContentLength = bytes.Length;
            return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
        }
    }
}
