using System.Diagnostics;
using LightTts.Extensions;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Metrics;

/// <summary><c>/metrics</c>: the server's numbers, the engine's, and the process's.</summary>
internal static class MetricsEndpoint
{
    public static Task WriteAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var text = new PrometheusText();
        services.GetRequiredService<ServerMetrics>().Write(text);
        text.Gauge("lighttts_server_active_requests", "Requests that are spoken now", services.GetRequiredService<Admission>().Active);
        if (services.GetRequiredService<ITtsPipelineHost>().Status is { } status)
        {
            text.Gauge("lighttts_pipeline_active_requests", "Requests in the pipeline", status.ActiveRequests);
            text.Gauge("lighttts_pipeline_kv_blocks", "Blocks of the key/value cache in use", status.KvBlocksInUse);
            text.Gauge("lighttts_pipeline_language_sequences", "Sequences in the language stage", status.LanguageSequences);
            text.Gauge("lighttts_pipeline_decode_utterances", "Utterances in the decode stage", status.DecodeUtterances);
            text.Gauge("lighttts_pipeline_decode_cache_bytes", "Bytes of flow and vocoder caches", status.DecodeCacheBytes);
            text.Gauge("lighttts_pipeline_flow_cache_bytes", "Bytes set aside for the flow's caches", status.FlowCacheBytes);
            text.Gauge("lighttts_pipeline_flow_cache_bytes_in_use", "Bytes of them that hold something", status.FlowCacheBytesInUse);
            text.Gauge("lighttts_pipeline_flow_prompt_bytes", "Bytes of voices' prompts kept for later", status.FlowPromptBytes);
            text.Header("lighttts_pipeline_queue_length", "Messages that wait for a stage", "gauge");
            foreach (var stage in status.Stages)
                text.Value("lighttts_pipeline_queue_length", $"stage=\"{stage.Stage.ToString().ToLowerInvariant()}\""
                    + (stage.Device is { } device ? $",device=\"{device}\"" : ""), stage.QueueLength);
        }
        services.GetRequiredService<EngineMetrics>().Write(text);
        using var process = Process.GetCurrentProcess();
        text.Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", process.WorkingSet64);
        text.Counter("process_cpu_seconds", "Total user and system CPU time spent in seconds.", process.TotalProcessorTime.TotalSeconds);
        text.Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
            new DateTimeOffset(process.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0);
        context.Response.ContentType = PrometheusText.ContentType;
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }
}
