using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LightTts.Tests.Hub;

/// <summary>A request for a file's bytes, and what came of it.</summary>
internal sealed record Served(string File, long From)
{
    public long Sent { get; set; }

    public string? Authorization { get; init; }
}

/// <summary>A hub on the loopback that speaks as Hugging Face and as ModelScope do; files in LFS lie on a second port, behind a redirect.</summary>
internal sealed class TestHub : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private const int BufferBytes = 64 << 10;

    private readonly WebApplication _app;
    private readonly Uri _store;

    private TestHub(WebApplication app, Dictionary<string, ServedFile> files)
    {
        (_app, Files) = (app, files);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        (Endpoint, _store) = (new Uri(addresses[0]), new Uri(addresses[1]));
    }

    public Uri Endpoint { get; }

    public Dictionary<string, ServedFile> Files { get; }

    /// <summary>Everything that was asked for files, in order.</summary>
    public ConcurrentQueue<Served> Requests { get; } = new();

    public ConcurrentQueue<string> Listings { get; } = new();

    /// <summary>Whether a listing says lengths and checksums; mirrors that do not are asked for each file's head.</summary>
    public bool Describes { get; set; } = true;

    public bool KnowsRanges { get; set; } = true;

    /// <summary>Answers in place of the hub where it returns true; asked for each request.</summary>
    public Func<HttpContext, bool> Refuse { get; set; } = _ => false;

    /// <summary>Says how many bytes of a request to send before the connection is cut; null for all.</summary>
    public Func<Served, long?> CutAfter { get; set; } = _ => null;

    /// <summary>Awaited before a connection is cut, and after each piece that was sent.</summary>
    public Func<Served, long, bool, CancellationToken, Task> Sent { get; set; } = (_, _, _, _) => Task.CompletedTask;

    /// <summary>Changes what is sent: the position of the bytes, and they.</summary>
    public Action<string, long, Memory<byte>> Spoil { get; set; } = (_, _, _) => { };

    /// <summary>What a file is said to be.</summary>
    public Func<string, ServedFile, (long Length, string Checksum)> Describe { get; set; } = (_, file) => (file.Length, file.Checksum);

    public static async Task<TestHub> StartAsync(Dictionary<string, ServedFile>? files = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            for (var i = 0; i < 2; i++)
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Limits.MinResponseDataRate = null;
        });
        var app = builder.Build();
        TestHub? hub = null;
        app.Run(context => hub!.AnswerAsync(context));
        await app.StartAsync();
        return hub = new TestHub(app, files ?? FakeModel.Create());
    }

    public ModelHubOptions Options(string cache) => new() { Endpoint = Endpoint, CacheFolder = cache, Token = "", TimeProvider = new HastyTime() };

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (Refuse(context))
            return;
        var path = context.Request.Path.Value!.Trim('/');
        if (context.Connection.LocalPort == _store.Port)
            await SendAsync(context, Uri.UnescapeDataString(path["store/".Length..]));
        else if (path == $"api/models/{FakeModel.Name}/revision/main")
            await WriteAsync(context, HuggingFaceListing());
        else if (path == $"api/v1/models/{FakeModel.Name}/repo/files")
            await WriteAsync(context, ModelScopeListing());
        else if (path == $"api/v1/models/{FakeModel.Name}/repo" && Files.ContainsKey(context.Request.Query["FilePath"].ToString()))
            await SendAsync(context, context.Request.Query["FilePath"].ToString());
        else if (path.StartsWith($"{FakeModel.Name}/resolve/{Commit}/", StringComparison.Ordinal)
            && path[$"{FakeModel.Name}/resolve/{Commit}/".Length..] is var file && Files.TryGetValue(file, out var found))
            await ResolveAsync(context, file, found);
        else
            context.Response.StatusCode = 404;
    }

    private async Task ResolveAsync(HttpContext context, string path, ServedFile file)
    {
        var (length, checksum) = Describe(path, file);
        if (file.IsLfs)
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = new Uri(_store, "store/" + path).ToString();
            context.Response.Headers["X-Linked-Etag"] = $"\"{checksum}\"";
            context.Response.Headers["X-Linked-Size"] = length.ToString();
            return;
        }
        context.Response.Headers.ETag = $"\"{checksum}\"";
        if (context.Request.Method == "HEAD")
            context.Response.ContentLength = length;
        else
            await SendAsync(context, path);
    }

    private async Task SendAsync(HttpContext context, string path)
    {
        var file = Files[path];
        var range = KnowsRanges ? context.Request.GetTypedHeaders().Range?.Ranges.Single() : null;
        var served = new Served(path, range?.From ?? 0) { Authorization = context.Request.Headers.Authorization };
        Requests.Enqueue(served);
        if (range is not null)
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {served.From}-{file.Length - 1}/{file.Length}";
        }
        var left = file.Length - served.From;
        context.Response.ContentLength = left;
        var cut = CutAfter(served);
        left = Math.Min(left, cut ?? left);
        var buffer = new byte[BufferBytes];
        while (left > 0)
        {
            var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, left));
            file.Read(served.From + served.Sent, part.Span);
            Spoil(path, served.From + served.Sent, part);
            await context.Response.Body.WriteAsync(part, context.RequestAborted);
            served.Sent += part.Length;
            left -= part.Length;
            await Sent(served, served.From + served.Sent, false, context.RequestAborted);
        }
        if (cut is not null)
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Sent(served, served.From + served.Sent, true, context.RequestAborted);
            context.Abort();
        }
    }

    private string HuggingFaceListing() => new JsonObject
    {
        ["id"] = FakeModel.Name,
        ["sha"] = Commit,
        ["siblings"] = new JsonArray([.. Files.Select(pair =>
        {
            var (length, checksum) = Describe(pair.Key, pair.Value);
            if (!Describes)
                return new JsonObject { ["rfilename"] = pair.Key };
            var sibling = new JsonObject { ["rfilename"] = pair.Key, ["size"] = length };
            sibling["blobId"] = pair.Value.IsLfs ? new string('a', 40) : checksum;
            if (pair.Value.IsLfs)
                sibling["lfs"] = new JsonObject { ["sha256"] = checksum, ["size"] = length, ["pointerSize"] = 134 };
            return sibling;
        })]),
    }.ToJsonString();

    private string ModelScopeListing() => new JsonObject
    {
        ["Code"] = 200,
        ["Success"] = true,
        ["Data"] = new JsonObject
        {
            ["Files"] = new JsonArray([new JsonObject { ["Type"] = "tree", ["Path"] = "CosyVoice-BlankEN", ["Size"] = 0, ["Sha256"] = "" },
                .. Files.Where(pair => pair.Value.IsLfs).Select(pair => new JsonObject
                { ["Type"] = "blob", ["Path"] = pair.Key, ["Size"] = pair.Value.Length, ["Sha256"] = pair.Value.Checksum })]),
        },
    }.ToJsonString();

    private Task WriteAsync(HttpContext context, string json)
    {
        Listings.Enqueue(context.Request.Path + context.Request.QueryString);
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
