using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Samples.Server.Web;

/// <summary>The page to try the server, the OpenAPI document and its page: files of this
/// assembly, each whole in itself, so that nothing is built and nothing is fetched from elsewhere.</summary>
internal static partial class WebPages
{
    // The worklet that plays is made by the page (blob:); the page's own scripts and styles are let in by their hashes, and nothing else is.
    private const string Policy = "default-src 'none'; connect-src 'self'; img-src data:; media-src blob:; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; ";

    private static readonly string[] Reading = ["GET", "HEAD"];

    public static void Map(WebApplication app)
    {
        MapPage(app, "/", "index.html");
        MapPage(app, "/docs", "docs.html");
        var document = Encoding.UTF8.GetBytes(Read("openapi.json"));
        app.MapMethods("/openapi.json", Reading, context => WriteAsync(context, "application/json", document));
    }

    /// <summary>A file of this folder, with the line ends that browsers see.</summary>
    public static string Read(string file)
    {
        using var reader = new StreamReader(typeof(WebPages).Assembly.GetManifestResourceStream(file)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static void MapPage(WebApplication app, string route, string file)
    {
        var html = Read(file);
        var page = Encoding.UTF8.GetBytes(html);
        var policy = $"{Policy}script-src blob: {Hashes(Scripts(), html)}; style-src {Hashes(Styles(), html)}";
        app.MapMethods(route, Reading, context =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            return WriteAsync(context, "text/html; charset=utf-8", page);
        });
    }

    private static string Hashes(Regex blocks, string html) => string.Join(' ',
        blocks.Matches(html).Select(block => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(block.Groups[1].Value)))}'"));

    private static Task WriteAsync(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-cache"; // another version of the server has another page
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    [GeneratedRegex("<script>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Scripts();

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Styles();
}
