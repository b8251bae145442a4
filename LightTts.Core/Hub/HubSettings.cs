using System.Globalization;

namespace LightTts.Hub;

/// <summary>What the options and the environment say together; the option goes first.</summary>
internal sealed record HubSettings
{
    public required ModelHubKind Kind { get; init; }

    /// <summary>Without a slash at its end.</summary>
    public required string Endpoint { get; init; }

    public string? Token { get; init; }

    public required string Cache { get; init; }

    public required string Revision { get; init; }

    public bool Offline { get; init; }

    public required ModelHubOptions Options { get; init; }

    /// <param name="options">What the caller says.</param>
    /// <param name="environment">Looks a variable of the environment up.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static HubSettings Resolve(ModelHubOptions options, Func<string, string?> environment)
    {
        if (options.FindFaults() is [var fault, ..])
            throw new ArgumentOutOfRangeException(fault.Option, fault.Value,
                string.Create(CultureInfo.InvariantCulture, $"{nameof(ModelHubOptions)}.{fault.Option} is out of its range. {fault.Cure}"));
        string? Read(string name) => environment(name) is { Length: > 0 } value ? value : null;
        var named = options.Endpoint?.AbsoluteUri ?? (options.Kind == ModelHubKind.ModelScope ? null : Read("HF_ENDPOINT"));
        var kind = options.Kind ?? (named is not null && Uri.TryCreate(named, UriKind.Absolute, out var address)
            && address.Host.Contains("modelscope", StringComparison.OrdinalIgnoreCase) ? ModelHubKind.ModelScope : ModelHubKind.HuggingFace);
        var endpoint = named ?? (kind == ModelHubKind.ModelScope ? ModelScopeDomain(Read("MODELSCOPE_DOMAIN")) : "https://huggingface.co");
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{endpoint}' is no http or https address; set the endpoint (HF_ENDPOINT) to one.", nameof(options));
        var home = Read("HF_HOME") ?? Path.Combine(Read("XDG_CACHE_HOME") ?? Path.Combine(UserFolder(Read), ".cache"), "huggingface");
        return new HubSettings
        {
            Options = options,
            Kind = kind,
            Endpoint = uri.GetLeftPart(UriPartial.Path).TrimEnd('/'),
            Token = options.Token ?? (kind == ModelHubKind.ModelScope ? Read("MODELSCOPE_API_TOKEN") : HuggingFaceToken(Read, home)),
            Cache = Path.GetFullPath(Expand(options.CacheFolder ?? Read("HF_HUB_CACHE") ?? Read("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"),
                Read)),
            Revision = options.Revision ?? (kind == ModelHubKind.ModelScope ? "master" : "main"),
            Offline = options.Offline ?? Read("HF_HUB_OFFLINE")?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE",
        };
    }

    private static string ModelScopeDomain(string? domain) => domain is null ? "https://www.modelscope.cn"
        : domain.Contains("://", StringComparison.Ordinal) ? domain : "https://" + domain;

    private static string? HuggingFaceToken(Func<string, string?> read, string home)
    {
        if (read("HF_TOKEN") is { } token)
            return token.Trim();
        if (read("HF_HUB_DISABLE_IMPLICIT_TOKEN")?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE")
            return null;
        var file = Expand(read("HF_TOKEN_PATH") ?? Path.Combine(home, "token"), read);
        try
        {
            return File.Exists(file) && new FileInfo(file).Length < 4096 && File.ReadAllText(file).Trim() is { Length: > 0 } saved ? saved : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // as if there were none: most models need none
        }
    }

    private static string Expand(string path, Func<string, string?> read) =>
        path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? UserFolder(read) + path[1..] : path;

    private static string UserFolder(Func<string, string?> read) =>
        (OperatingSystem.IsWindows() ? null : read("HOME")) ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
