using LightTts.Extensions.Hosting;

namespace LightTts.Extensions.Health;

/// <summary>What both health checks look at: the stages' heartbeats.</summary>
internal static class PipelineHealth
{
    private const long LargeModel = 100_000_000;

    /// <summary>What is wrong with the stages, or null.</summary>
    public static string? Fault(PipelineHost host, TtsPipelineStatus status)
    {
        var limit = HangTimeout(host.Options, host.Model);
        foreach (var stage in status.Stages)
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
            data[$"{Name(stage)}_queue"] = stage.QueueLength;
        return data;
    }

    private static TimeSpan HangTimeout(LightTtsOptions options, TtsModelInfo? model) =>
        options.StageHangTimeout ?? TimeSpan.FromSeconds(model is { Device: ComputeDevice.Cpu, Parameters: > LargeModel } ? 60 : 4);

    private static string Name(StageStatus stage) => stage.Stage.ToString().ToLowerInvariant();
}
