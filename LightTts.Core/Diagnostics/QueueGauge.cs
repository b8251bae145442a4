using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace LightTts.Diagnostics;

/// <summary>The gauge <c>lighttts.stage.queue.length</c> over all pipelines of the process.</summary>
internal static class QueueGauge
{
    private static readonly ConcurrentDictionary<object, (string Model, Func<IReadOnlyList<StageStatus>> Stages)> Pipelines = new();

    static QueueGauge() =>
        LightTtsDiagnostics.Meter.CreateObservableGauge("lighttts.stage.queue.length", Observe, "{item}", "Messages that wait for a stage.");

    /// <summary>Begins to show a pipeline's queues, until <see cref="Remove"/>.</summary>
    public static void Add(object pipeline, string model, Func<IReadOnlyList<StageStatus>> stages) => Pipelines[pipeline] = (model, stages);

    public static void Remove(object pipeline) => Pipelines.TryRemove(pipeline, out _);

    private static IEnumerable<Measurement<int>> Observe()
    {
        foreach (var (model, stages) in Pipelines.Values)
            foreach (var stage in stages())
                yield return stage.Device is { } device
                    ? new Measurement<int>(stage.QueueLength, new("gen_ai.request.model", model), new("lighttts.stage", stage.Stage.Name()),
                        new("lighttts.device", device))
                    : new Measurement<int>(stage.QueueLength, new("gen_ai.request.model", model), new("lighttts.stage", stage.Stage.Name()));
    }
}
