using LightTts.Samples.Server.Hosting;

namespace LightTts.Samples.Server;

/// <summary>Where the server listens and what it lets a client ask for; the section "Server" of the configuration.</summary>
internal sealed class ServerOptions
{
    /// <summary>The name of the section.</summary>
    public const string Section = "Server";

    private static readonly string[] Names =
    [
        nameof(Host), nameof(Port), nameof(AdminPort), nameof(MaxConcurrentRequests), nameof(MaxRequestsPerClient), nameof(MaxConnections),
        nameof(MaxConnectionsPerAddress), nameof(MaxUploads), nameof(MaxUploadBytes), nameof(MaxTextLength), nameof(MaxPromptTextLength),
        nameof(RequestTimeout), nameof(IdleTimeout), nameof(SendTimeout), nameof(KeepAliveTimeout), nameof(PingInterval), nameof(PingTimeout),
        nameof(HeadersTimeout), nameof(MinDataRate), nameof(MinDataRateGrace), nameof(DrainTimeout), nameof(CorsOrigins), nameof(ApiKeys),
        nameof(Styles),
    ];

    /// <summary>The address to listen on: "localhost" (both loopbacks), "0.0.0.0" or "*" (all), or an address.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>The port; 0 for any free one.</summary>
    public int Port { get; set; } = 8080;

    /// <summary>The port of the admin routes, on the loopback only. Null: there are none.</summary>
    public int? AdminPort { get; set; }

    /// <summary>Requests that are spoken at once; one more is answered with 429.</summary>
    public int MaxConcurrentRequests { get; set; } = 32;

    /// <summary>Requests of one client (an API key, otherwise an address) at once. Null:
    /// three quarters of all, so that one client never shuts out the others.</summary>
    public int? MaxRequestsPerClient { get; set; }

    /// <summary>Connections at once, and web sockets at once.</summary>
    public int MaxConnections { get; set; } = 2048;

    /// <summary>Connections of one address at once. Null: three quarters of all.</summary>
    public int? MaxConnectionsPerAddress { get; set; }

    /// <summary>Uploads that are read at once; one more is answered with 429. Null: twice the requests that are spoken at once.</summary>
    public int? MaxUploads { get; set; }

    /// <summary>Bytes of an upload.</summary>
    public long MaxUploadBytes { get; set; } = 32L << 20;

    /// <summary>Characters of a text to speak.</summary>
    public int MaxTextLength { get; set; } = 10_000;

    /// <summary>Characters of a reference audio's transcript.</summary>
    public int MaxPromptTextLength { get; set; } = 1000;

    /// <summary>How long a request may take; its body may take as long again.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a web socket may say nothing while something is expected of it.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may take to accept a piece of audio.</summary>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection may stay open without a request.</summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a web socket that says nothing is asked whether it is still there.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long it may take to answer that.</summary>
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a client may take to send a request's headers.</summary>
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes a second that a body must make in either direction, after <see cref="MinDataRateGrace"/>.</summary>
    public double MinDataRate { get; set; } = 240;

    /// <summary>How long a body may be slower than that.</summary>
    public TimeSpan MinDataRateGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long requests that run may go on after SIGTERM.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The origins that browsers may call from. Default: none but the server's own.</summary>
    public List<string> CorsOrigins { get; set; } = [];

    /// <summary>Keys that clients must show, where there are any.</summary>
    public List<ApiKeyOptions> ApiKeys { get; set; } = [];

    /// <summary>More models, each under its name of the seed system's <c>tts_model_name</c>; the value is a model directory.</summary>
    public Dictionary<string, string> Styles { get; set; } = [];

    /// <summary>What one client may hold.</summary>
    public int ClientLimit => MaxRequestsPerClient ?? Share(MaxConcurrentRequests);

    /// <summary>Connections that one address may hold.</summary>
    public int ConnectionLimit => MaxConnectionsPerAddress ?? Share(MaxConnections);

    /// <summary>Uploads at once.</summary>
    public int UploadLimit => MaxUploads ?? 2 * MaxConcurrentRequests;

    /// <summary>Uploads of one client at once.</summary>
    public int ClientUploadLimit => Share(UploadLimit);

    /// <summary>Reads the section and checks it.</summary>
    /// <exception cref="ArgumentException">There is no option of a name in it, or an option is out of its range.</exception>
    public static ServerOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        RequireKnown(section, Names);
        foreach (var key in section.GetSection(nameof(ApiKeys)).GetChildren())
            RequireKnown(key, ApiKeyOptions.Names);
        var options = new ServerOptions();
        section.Bind(options);
        options.Validate();
        return options;
    }

    private static void RequireKnown(IConfigurationSection section, string[] names)
    {
        foreach (var child in section.GetChildren())
            if (!names.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                throw new ArgumentException($"'{child.Path}' is not an option.{Suggestion.For(child.Key, names)} The options are: "
                    + $"{string.Join(", ", names)}.");
    }

    private void Validate()
    {
        static void Require(bool holds, string message)
        {
            if (!holds)
                throw new ArgumentException(message);
        }
        Require(Port is >= 0 and <= 65535, $"Server:Port is {Port}; use 0 to 65535.");
        Require(AdminPort is null or (>= 0 and <= 65535), $"Server:AdminPort is {AdminPort}; use 0 to 65535, or leave it out.");
        Require(AdminPort is null or 0 || AdminPort != Port, $"Server:AdminPort is {AdminPort}, as Server:Port is; use another one.");
        Require(MaxConcurrentRequests >= 1, $"Server:MaxConcurrentRequests is {MaxConcurrentRequests}; set at least 1.");
        Require(ClientLimit >= 1, $"Server:MaxRequestsPerClient is {MaxRequestsPerClient}; set at least 1.");
        Require(MaxConnections >= 1, $"Server:MaxConnections is {MaxConnections}; set at least 1.");
        Require(ConnectionLimit >= 1, $"Server:MaxConnectionsPerAddress is {MaxConnectionsPerAddress}; set at least 1.");
        Require(UploadLimit >= 1, $"Server:MaxUploads is {MaxUploads}; set at least 1.");
        Require(MaxUploadBytes >= 1024, $"Server:MaxUploadBytes is {MaxUploadBytes}; set at least 1024.");
        Require(MaxTextLength >= 1, $"Server:MaxTextLength is {MaxTextLength}; set at least 1.");
        foreach (var (name, time) in new[]
                 {
                     (nameof(RequestTimeout), RequestTimeout), (nameof(IdleTimeout), IdleTimeout), (nameof(SendTimeout), SendTimeout),
                     (nameof(HeadersTimeout), HeadersTimeout), (nameof(KeepAliveTimeout), KeepAliveTimeout),
                     (nameof(PingInterval), PingInterval), (nameof(PingTimeout), PingTimeout),
                 })
            Require(time > TimeSpan.Zero && time <= TimeSpan.FromDays(1),
                $"Server:{name} is {time}; set a time above zero, up to a day: 00:00:30 is half a minute, a number alone means days.");
        Require(DrainTimeout >= TimeSpan.Zero && DrainTimeout <= TimeSpan.FromDays(1),
            $"Server:{nameof(DrainTimeout)} is {DrainTimeout}; set a time of zero up to a day, such as 00:00:30.");
        Require(MinDataRateGrace > TimeSpan.FromSeconds(1), $"Server:MinDataRateGrace is {MinDataRateGrace}; set more than a second.");
        foreach (var origin in CorsOrigins)
            Require(origin == "*" || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.GetLeftPart(UriPartial.Authority) == origin),
                $"Server:CorsOrigins has '{origin}'; write origins as browsers do, such as https://example.com, without a slash at the end.");
        foreach (var key in ApiKeys)
            key.Validate();
        Require(ApiKeys.DistinctBy(key => key.Name).Count() == ApiKeys.Count, "Server:ApiKeys: two keys have the same name.");
    }

    /// <summary>What one client may hold of something: most of it, but never all.</summary>
    private static int Share(int all) => Math.Max(1, all * 3 / 4);
}
