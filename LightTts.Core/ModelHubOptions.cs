namespace LightTts;

/// <summary>Where models come from and where they are kept. What is left out is taken from the environment variables of the hubs' own tools, so
/// that a machine that is set up for those is set up for LightTts.</summary>
public sealed class ModelHubOptions
{
    /// <summary>The hub's protocol.</summary>
    /// <value>Default null: that of the <see cref="Endpoint"/>'s name (ModelScope where that contains "modelscope").</value>
    public ModelHubKind? Kind { get; set; }

    /// <summary>The hub's base address.</summary>
    /// <value>Default null: <c>HF_ENDPOINT</c>, or https://huggingface.co; for ModelScope <c>MODELSCOPE_DOMAIN</c>, or
    /// https://www.modelscope.cn.</value>
    public Uri? Endpoint { get; set; }

    /// <summary>A branch, a tag or a commit.</summary>
    /// <value>Default null: the hub's main branch.</value>
    public string? Revision { get; set; }

    /// <summary>A token for models that not everybody may read. It is sent to the endpoint and to nobody whom the endpoint redirects to.</summary>
    /// <value>Default null: <c>HF_TOKEN</c>, or the file that <c>hf auth login</c> writes; for ModelScope <c>MODELSCOPE_API_TOKEN</c>.</value>
    public string? Token { get; set; }

    /// <summary>The folder of downloaded models, in the layout of the Hugging Face hub's own cache and shared with it.</summary>
    /// <value>Default null: <c>HF_HUB_CACHE</c>, or <c>hub</c> in <c>HF_HOME</c>, or <c>~/.cache/huggingface/hub</c>.</value>
    public string? CacheFolder { get; set; }

    /// <summary>Whether only models that are in the cache may be used, and nobody is asked.</summary>
    /// <value>Default null: <c>HF_HUB_OFFLINE</c>.</value>
    public bool? Offline { get; set; }

    /// <summary>Further files of the model to fetch, beyond those that LightTts reads: names, with * and ? as wildcards.</summary>
    /// <value>Default: none.</value>
    public IList<string> Include { get; } = [];

    /// <summary>Files that are fetched at the same time.</summary>
    /// <value>1 to 64. Default 4.</value>
    public int MaxParallelFiles { get; set; } = 4;

    /// <summary>How long a connection may bring next to nothing (below 1,000 bytes a second) before it is given up and opened again.</summary>
    /// <value>Above zero and at most 40 days. Default 30 s.</value>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often in a row a file may fail without any progress before the download fails; a hub that is not there at all is asked three
    /// times at the most.</summary>
    /// <value>0 to 1,000. Default 6.</value>
    public int MaxRetries { get; set; } = 6;

    /// <summary>The longest wait that a hub may ask for (Retry-After); where it asks for more, the download fails and says so.</summary>
    /// <value>Above zero and at most 40 days. Default 5 minutes.</value>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The clock of waits.</summary>
    /// <value>Default <see cref="System.TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Looks for options that are out of their range.</summary>
    /// <returns>All that are, each with what it may be.</returns>
    public IReadOnlyList<OptionFault> FindFaults()
    {
        var faults = new OptionFaults();
        faults.Require(Kind is null || Enum.IsDefined(Kind.Value), Kind, "Use HuggingFace or ModelScope.");
        faults.Require(Endpoint is null or { IsAbsoluteUri: true, Scheme: "http" or "https" }, Endpoint, "Use an http or https address.");
        faults.Require(MaxParallelFiles is >= 1 and <= 64, MaxParallelFiles, "Set 1 to 64 (default 4).");
        faults.Require(MaxRetries is >= 0 and <= 1000, MaxRetries, "Set 0 to 1000 (default 6).");
        faults.RequireTime(StallTimeout, "leave it out for 30 s");
        faults.RequireTime(MaxRetryAfter, "leave it out for 5 minutes");
        faults.Require(TimeProvider is not null, TimeProvider, "Leave it as it is for the system's clock.");
        return faults.Found;
    }
}
