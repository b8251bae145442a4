using LightTts.Extensions;
using LightTts.Samples.Server.Hosting;
using LightTts.Samples.Server.Metrics;
using LightTts.Samples.Server.OpenAI;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Seed;
using LightTts.Samples.Server.Voices;
using LightTts.Samples.Server.Web;
using Microsoft.AspNetCore.Http.Features;

namespace LightTts.Samples.Server;

/// <summary>Puts the server together.</summary>
internal static class ServerApp
{
    // Half a minute of speech: what is larger goes to the disk, and a process that is killed leaves its file there.
    private const int MaxUploadInMemory = 2 << 20;

    /// <param name="args">The seed system's options, and the host's ("--Server:Port=80").</param>
    /// <param name="configure">Changes what is registered, for tests.</param>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        Dictionary<string, string?> settings = [];
        List<(string Option, string Reason)> ignored = [];
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = SeedArguments.Parse(args, settings, ignored),
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(ServerApp).Assembly.GetName().Name,
        });
        builder.Configuration.AddInMemoryCollection(settings);
        var options = ServerOptions.Read(builder.Configuration);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // what ends the start is told once, by StartFault
        AddServices(builder, options);
        configure?.Invoke(builder);

        var app = builder.Build();
        foreach (var (option, reason) in ignored)
            ServerLog.OptionIgnored(app.Logger, option, reason);
        UseMiddleware(app, options);
        SeedRoutes.Map(app);
        OpenAIRoutes.Map(app);
        AdminRoutes.Map(app);
        WebPages.Map(app);
        return app;
    }

    private static void AddServices(WebApplicationBuilder builder, ServerOptions options)
    {
        var services = builder.Services;
        builder.WebHost.ConfigureKestrel(kestrel => KestrelSetup.Configure(kestrel, options));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout + TimeSpan.FromSeconds(10));
        services.Configure<FormOptions>(form =>
        {
            form.MultipartBodyLengthLimit = options.MaxUploadBytes;
            form.MemoryBufferThreshold = MaxUploadInMemory;
            form.ValueLengthLimit = Math.Max(4096, 4 * options.MaxTextLength);
            form.ValueCountLimit = 64;
            form.KeyLengthLimit = 256;
            form.MultipartHeadersCountLimit = 16;
            form.MultipartHeadersLengthLimit = 8192;
        });
        if (options.CorsOrigins.Count > 0)
            services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins([.. options.CorsOrigins]).AllowAnyHeader().AllowAnyMethod()));
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IHostedService, Drain>(); // before the pipeline: what stops last is named first
        AddPipelines(builder, options);
        services.AddSingleton<AdminPort>();
        services.AddSingleton<ServerMetrics>();
        services.AddSingleton<EngineMetrics>();
        services.AddSingleton<Admission>();
        services.AddSingleton<ClientDirectory>();
        services.AddSingleton<RequestRunner>();
        services.AddSingleton<StyleCatalog>();
        services.AddSingleton<ZeroShotEndpoint>();
        services.AddSingleton<BiStreamEndpoint>();
        services.AddSingleton<SpeechEndpoint>();
        services.AddSingleton<VoicesEndpoint>();
    }

    private static void AddPipelines(WebApplicationBuilder builder, ServerOptions options)
    {
        var section = builder.Configuration.GetSection("LightTts");
        void Shared(LightTtsOptions pipeline)
        {
            // The server's own limits come first; the pipeline's behind them must not be lower.
            pipeline.MaxActiveRequests = Math.Max(pipeline.MaxActiveRequests, options.MaxConcurrentRequests + 1);
            pipeline.TextIdleTimeout = options.IdleTimeout;
            pipeline.DrainTimeout = options.DrainTimeout;
        }
        builder.Services.AddLightTts(section);
        builder.Services.AddLightTts(Shared);
        foreach (var (name, path) in options.Styles)
        {
            builder.Services.AddKeyedLightTts(name, section);
            builder.Services.AddKeyedLightTts(name, pipeline =>
            {
                pipeline.ModelPath = path;
                Shared(pipeline);
            });
        }
    }

    private static void UseMiddleware(WebApplication app, ServerOptions options)
    {
        _ = app.Services.GetRequiredService<EngineMetrics>(); // counts from the start, not from the first look
        app.Use(RequestIds.InvokeAsync);
        app.Use(UnknownRoutes.InvokeAsync);
        app.Use(PlainBodies.InvokeAsync);
        app.Use(AdminRoutes.GuardAsync);
        app.UseRouting(); // here, so that what the routes leave open passes through the two above
        if (options.CorsOrigins.Count > 0)
            app.UseCors();
        app.Use(LastFrame.InvokeAsync);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = options.PingInterval, KeepAliveTimeout = options.PingTimeout });
        app.Use(Origins.InvokeAsync);
    }
}
