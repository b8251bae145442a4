using System.Globalization;

namespace LightTts.Samples.Server.Hosting;

/// <summary>The seed system's command line, as configuration. What has no counterpart is
/// named in the log with the reason; everything else goes on to the host.</summary>
internal static class SeedArguments
{
    private const string ManagedHere = "this engine manages it itself";

    private static readonly Dictionary<string, string> Keys = new()
    {
        ["host"] = "Server:Host",
        ["port"] = "Server:Port",
        ["admin_port"] = "Server:AdminPort",
        ["model_dir"] = "LightTts:ModelPath",
        ["max_total_token_num"] = "LightTts:KvCacheTokens",
        ["cache_capacity"] = "LightTts:MaxTimbres",
        ["running_max_req_size"] = "Server:MaxConcurrentRequests",
        ["graph_max_batch_size"] = "LightTts:MaxLanguageRows",
    };

    private static readonly Dictionary<string, string> Ignored = new()
    {
        ["load_trt"] = "the flow runs on the engine's own kernels",
        ["load_jit"] = "the flow runs on the engine's own kernels",
        ["max_req_total_len"] = "Server:MaxTextLength bounds a request by its characters",
        ["batch_max_tokens"] = ManagedHere,
        ["graph_max_len_in_batch"] = ManagedHere,
        ["httpserver_workers"] = "one process serves all requests",
        ["zmq_mode"] = "there are no processes to connect",
        ["encode_process_num"] = "there is one stage of each kind, and it batches",
        ["decode_process_num"] = "there is one stage of each kind, and it batches",
        ["gpt_paral_num"] = ManagedHere,
        ["gpt_paral_step_num"] = ManagedHere,
        ["encode_paral_num"] = ManagedHere,
        ["decode_paral_num"] = ManagedHere,
        ["decode_max_batch_size"] = ManagedHere,
        ["mode"] = "there is one attention kernel for each device",
        ["router_max_wait_tokens"] = ManagedHere,
        ["router_token_ratio"] = ManagedHere,
        ["router_max_new_token_len"] = ManagedHere,
        ["log_stats_interval"] = "/metrics has the numbers",
        ["tokenizer_mode"] = "it had no effect",
        ["load_way"] = "it had no effect",
        ["cache_reserved_ratio"] = "it had no effect",
    };

    private static readonly Dictionary<string, string> IgnoredSwitches = new()
    {
        ["disable_cudagraph"] = "graphs are left out by themselves where they cannot be had",
        ["health_monitor"] = "/liveness tells an orchestrator when to restart",
        ["disable_log_stats"] = "/metrics has the numbers",
        ["trust_remote_code"] = "no code of a model is ever run",
        ["sample_close"] = "it had no effect",
    };

    // What the host itself takes beside settings.
    private static readonly string[] HostNames = ["environment", "contentRoot", "applicationName"];

    /// <summary>The options that mean something here.</summary>
    public static IEnumerable<string> Names => Keys.Keys.Append("data_type").Select(name => "--" + name);

    /// <summary>Splits a command line.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="settings">What they set, by configuration key.</param>
    /// <param name="ignored">Options without a meaning, with the reason.</param>
    /// <returns>The arguments that are the host's own.</returns>
    /// <exception cref="ArgumentException">There is no such option, or it has no value, or one that is not known.</exception>
    public static string[] Parse(string[] args, IDictionary<string, string?> settings, ICollection<(string Option, string Reason)> ignored)
    {
        List<string> rest = [];
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..] : args[i].TrimStart('/');
            string? value = null;
            if (name.Split('=', 2) is [var key, var attached])
                (name, value) = (key, attached);
            if (IgnoredSwitches.TryGetValue(name, out var reason))
            {
                ignored.Add(("--" + name, reason));
                continue;
            }
            if (!Keys.ContainsKey(name) && !Ignored.ContainsKey(name) && name != "data_type")
            {
                if (!name.Contains(':') && !HostNames.Contains(name, StringComparer.OrdinalIgnoreCase))
                    throw new ArgumentException($"'{args[i]}' is not an option.{Suggestion.For("--" + name, Names)} --help lists them.");
                rest.Add($"--{name}={value ?? Next(args, ref i, name)}");
                continue;
            }
            Set(name, value ?? Next(args, ref i, name), settings, ignored);
        }
        return [.. rest];
    }

    private static string Next(string[] args, ref int at, string name) =>
        at + 1 < args.Length ? args[++at] : throw new ArgumentException($"--{name} needs a value.");

    private static void Set(string name, string value, IDictionary<string, string?> settings, ICollection<(string Option, string Reason)> ignored)
    {
        if (Ignored.TryGetValue(name, out var reason))
            ignored.Add(("--" + name, reason));
        else if (name == "data_type")
            settings["LightTts:Precision"] = Precision(value);
        else if (name == "graph_max_batch_size" && int.TryParse(value, CultureInfo.InvariantCulture, out var size) && size > 256)
            settings[Keys[name]] = "256";
        else
            settings[Keys[name]] = value;
    }

    /// <summary>Half precision is bfloat16 here: it has the range of float32, so that nothing overflows.</summary>
    private static string Precision(string type) => type.ToLowerInvariant() switch
    {
        "fp16" or "float16" or "half" or "bf16" or "bfloat16" => nameof(ComputePrecision.BFloat16),
        "fp32" or "float32" or "float" => nameof(ComputePrecision.Float32),
        _ => throw new ArgumentException($"--data_type is '{type}'; use float32, bfloat16 or float16."),
    };
}
