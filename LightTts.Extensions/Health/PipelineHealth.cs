using LightTts.Extensions.Hosting;

namespace LightTts.Extensions.Health;

/// <summary>What both health checks look at: the stages' heartbeats.</summary>
internal static class PipelineHealth
{
    private const long LargeModel = 100_000_000;

    /// <summary>What is wrong with the stages, or null. Where a pipeline has several devices, of all of them: as long as one serves, a restart would
    /// cost its requests more than it brings.</summary>
    public static string? Fault(PipelineHost host, TtsPipelineStatus status)
    {
        var faults = Faults(host, status);
        return faults.All(fault => fault is not null) ? faults.FirstOrDefault() : null;
    }

    /// <summary>What is wrong with some of a pipeline's devices while others serve, or null.</summary>
    public static string? Loss(PipelineHost host, TtsPipelineStatus status)
    {
        var faults = Faults(host, status);
        var lost = faults.Count(fault => fault is not null);
        return lost > 0 && lost < faults.Count ? $"{lost} of {faults.Count} devices do not serve: {faults.First(fault => fault is not null)}" : null;
    }

    // One for each device.
    private static List<string?> Faults(PipelineHost host, TtsPipelineStatus status) =>
        [.. status.Stages.GroupBy(stage => stage.Device).Select(stages => Fault(host, stages))];

    private static string? Fault(PipelineHost host, IEnumerable<StageStatus> stages)
    {
        var limit = HangTimeout(host.Options, host.Model);
        foreach (var stage in stages)
        {
            if (!stage.IsAlive)
                return $"The {Name(stage)} stage's thread has ended; restart the process.";
            if (stage.BusyFor > limit)
                return $"The {Name(stage)} stage has been in one step for {stage.BusyFor.TotalSeconds:0.0} s; "
                    + "restart the process if it hangs, or raise LightTtsOptions.StageHangTimeout if the model is that slow.";
        }
        return null;
    }

    /// <summary>Facts for whoever reads the report.</summary>
    public static Dictionary<string, object> Data(PipelineHost host, TtsPipelineStatus status)
    {
        var data = new Dictionary<string, object>
        {
            ["model"] = host.ModelName,
            ["active_requests"] = status.ActiveRequests,
            ["max_requests"] = status.MaxActiveRequests,
        };
        foreach (var stage in status.Stages)
            data[$"{Key(stage)}_queue"] = stage.QueueLength;
        return data;
    }

    private static TimeSpan HangTimeout(LightTtsOptions options, TtsModelInfo? model) =>
        options.StageHangTimeout ?? TimeSpan.FromSeconds(model is { Device: ComputeDevice.Cpu, Parameters: > LargeModel } ? 60 : 4);

    private static string Key(StageStatus stage) => stage.Stage.ToString().ToLowerInvariant() + (stage.Device is { } device ? $"_{device}" : "");

    private static string Name(StageStatus stage) =>
        stage.Stage.ToString().ToLowerInvariant() + (stage.Device is { } device ? $" (on {device})" : "");
}
