using Microsoft.Extensions.Configuration;

namespace LightTts.Extensions;

/// <summary>Tells a misspelt option in the configuration from one that there is.</summary>
internal static class OptionNames
{
    /// <summary>The names that a configuration section may have: the properties of <see cref="LightTtsOptions"/>.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        nameof(LightTtsOptions.ModelPath), nameof(LightTtsOptions.Device), nameof(LightTtsOptions.DeviceIndex), nameof(LightTtsOptions.Devices),
        nameof(LightTtsOptions.Precision),
        nameof(LightTtsOptions.LanguagePrecision), nameof(LightTtsOptions.FlowPrecision),
        nameof(LightTtsOptions.Decoder), nameof(LightTtsOptions.OnnxProviders), nameof(LightTtsOptions.OnnxCacheDirectory),
        nameof(LightTtsOptions.OnnxHalfPrecision), nameof(LightTtsOptions.OnnxWorkspaceBytes), nameof(LightTtsOptions.OnnxMinFrames),
        nameof(LightTtsOptions.OnnxOptimalFrames), nameof(LightTtsOptions.OnnxMaxFrames),
        nameof(LightTtsOptions.Threads), nameof(LightTtsOptions.NativeLibraryPath), nameof(LightTtsOptions.MaxActiveRequests),
        nameof(LightTtsOptions.MaxLanguageRows),
        nameof(LightTtsOptions.RequestTimeout), nameof(LightTtsOptions.TextIdleTimeout), nameof(LightTtsOptions.TextPause),
        nameof(LightTtsOptions.KvCacheTokens), nameof(LightTtsOptions.StyleBytes), nameof(LightTtsOptions.FlowCacheBytes),
        nameof(LightTtsOptions.MaxTextLength), nameof(LightTtsOptions.MaxBufferedAudio), nameof(LightTtsOptions.ShareTimbres),
        nameof(LightTtsOptions.TimbreSegmentPath),
        nameof(LightTtsOptions.TimbreSegmentBytes), nameof(LightTtsOptions.TimbreProcessBytes), nameof(LightTtsOptions.MaxTimbres),
        nameof(LightTtsOptions.TimbreTenant),
        nameof(LightTtsOptions.TimbreExtractionWait), nameof(LightTtsOptions.TimbreDurable), nameof(LightTtsOptions.TimbreDurableFolder),
        nameof(LightTtsOptions.MaxDurableTimbres), nameof(LightTtsOptions.MaxRedraws), nameof(LightTtsOptions.MaxFlowSteps),
        nameof(LightTtsOptions.English), nameof(LightTtsOptions.Emoji),
        nameof(LightTtsOptions.Pronunciations),
        nameof(LightTtsOptions.WarmUp), nameof(LightTtsOptions.DrainTimeout), nameof(LightTtsOptions.StageHangTimeout),
    ];

    /// <summary>What an option of the pipeline is called in <see cref="LightTtsOptions"/>, which has the timbre store's and ONNX Runtime's
    /// among its own.</summary>
    public static string Of(string pipelineOption)
    {
        const string timbres = nameof(TtsPipelineOptions.Timbres) + ".";
        const string onnx = nameof(TtsPipelineOptions.OnnxRuntime) + ".";
        if (pipelineOption.StartsWith(onnx, StringComparison.Ordinal))
            return "Onnx" + pipelineOption[onnx.Length..];
        if (!pipelineOption.StartsWith(timbres, StringComparison.Ordinal))
            return pipelineOption;
        var name = pipelineOption[timbres.Length..];
        return name == nameof(TimbreStoreOptions.Shared) ? nameof(LightTtsOptions.ShareTimbres)
            : All.Contains(name, StringComparer.Ordinal) ? name
            : "Timbre" + name;
    }

    /// <summary>What is wrong with a section's names, a sentence each.</summary>
    public static List<string> Faults(IConfigurationSection section)
    {
        List<string> faults = [];
        foreach (var child in section.GetChildren())
        {
            if (All.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                continue;
            var meant = Nearest(child.Key) is { } name ? $"did you mean {name}? " : "";
            faults.Add($"'{child.Path}' is not an option; {meant}The options are: {string.Join(", ", All)}.");
        }
        return faults;
    }

    /// <summary>The option that a misspelt name most likely means, or null where none is near.</summary>
    public static string? Nearest(string name)
    {
        var best = All.Select(option => (Option: option, Distance: Distance(name.ToUpperInvariant(), option.ToUpperInvariant()))).MinBy(pair =>
            pair.Distance);
        return best.Distance <= Math.Max(2, best.Option.Length / 3) ? best.Option : null;
    }

    /// <summary>Insertions, deletions and replacements that turn one word into the other (Levenshtein).</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 0; i < left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < right.Length; j++)
            {
                var replaced = diagonal + (left[i] == right[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, Math.Min(row[j], row[j + 1]) + 1);
            }
        }
        return row[^1];
    }
}
