using System.CommandLine;

namespace LightTts.Samples.Speak;

/// <summary>The options that say which hub and which cache.</summary>
internal sealed class HubArguments
{
    private readonly Option<string?> _cache =
        new("--cache") { Description = "Folder of fetched models. Default: HF_HUB_CACHE, HF_HOME/hub, or ~/.cache/huggingface/hub." };

    private readonly Option<string?> _revision = new("--revision") { Description = "A branch, a tag or a commit. Default: the main branch." };

    private readonly Option<string?> _hub = new("--hub") { Description = "huggingface or modelscope. Default: by the endpoint's name." };

    private readonly Option<string?> _endpoint = new("--endpoint") { Description = "The hub's address. Default: HF_ENDPOINT, or the hub's own." };

    private readonly Option<string?> _token = new("--token") { Description = "Token for models that not everybody may read. Default: HF_TOKEN." };

    private readonly Option<bool> _offline = new("--offline") { Description = "Ask nobody: the model must be here. Default: HF_HUB_OFFLINE." };

    private readonly Option<string[]> _include =
        new("--include") { Description = "Further files to fetch, with * and ?; may be given several times." };

    private readonly Option<int> _parallel = new("--parallel") { Description = "Files at the same time, 1 to 64.", DefaultValueFactory = _ => 4 };

    public HubArguments() => _hub.AcceptOnlyFromAmong("huggingface", "modelscope");

    public IReadOnlyList<Option> OfCache => [_cache, _revision, _hub];

    public IReadOnlyList<Option> OfPull => [_endpoint, _token, _offline, _include, _parallel];

    public ModelHubOptions Read(ParseResult parsed)
    {
        var endpoint = parsed.GetValue(_endpoint);
        var options = new ModelHubOptions
        {
            CacheFolder = parsed.GetValue(_cache),
            Revision = parsed.GetValue(_revision),
            Kind = parsed.GetValue(_hub) switch
            {
                "modelscope" => ModelHubKind.ModelScope,
                "huggingface" => ModelHubKind.HuggingFace,
                _ => null,
            },
            Endpoint = endpoint is null ? null : Uri.TryCreate(endpoint, UriKind.Absolute, out var address) ? address
                : throw new ArgumentException($"--endpoint takes an address such as https://huggingface.co, not '{endpoint}'."),
            Token = parsed.GetValue(_token),
            Offline = parsed.GetValue(_offline) ? true : null,
            // 0 where the command has no such option
            MaxParallelFiles = parsed.GetResult(_parallel) is null ? 4 : parsed.GetValue(_parallel),
        };
        foreach (var pattern in parsed.GetValue(_include) ?? [])
            options.Include.Add(pattern);
        return options;
    }
}
