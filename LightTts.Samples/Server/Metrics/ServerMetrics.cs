using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Metrics;

/// <summary>The server's own numbers, under the seed system's names and ours.</summary>
internal sealed class ServerMetrics
{
    private static readonly double[] Buckets = [.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, PrometheusHistogram> _latency = [];
    private readonly PrometheusHistogram _firstAudio = new(Buckets);
    private readonly Dictionary<string, long> _failures = [];
    private long _requests;
    private long _successes;
    private double _audioSeconds;

    public void Began()
    {
        lock (_gate)
            _requests++;
    }

    public void Ended(string route, TimeSpan elapsed, TimeSpan? firstAudio, double audioSeconds, Failure? failure)
    {
        lock (_gate)
        {
            if (!_latency.TryGetValue(route, out var latency))
                _latency[route] = latency = new PrometheusHistogram(Buckets);
            latency.Record(elapsed.TotalSeconds);
            if (firstAudio is { } first)
                _firstAudio.Record(first.TotalSeconds);
            _audioSeconds += audioSeconds;
            if (failure is null)
                _successes++;
            else
                _failures[failure.Code] = _failures.GetValueOrDefault(failure.Code) + 1;
        }
    }

    public void Write(PrometheusText text)
    {
        lock (_gate)
        {
            text.Counter("lightllm_request_count", "The total number of requests", _requests);
            text.Counter("lightllm_request_failure", "The number of requests that failed", _failures.Values.Sum());
            text.Counter("lightllm_request_success", "The number of requests that succeeded", _successes);
            text.Header("lightllm_request_latency", "Request latency", "histogram");
            foreach (var (route, histogram) in _latency)
                text.Histogram("lightllm_request_latency", $"route=\"{route}\"", histogram);
            text.Header("lighttts_server_failures_total", "Requests that failed, by reason", "counter");
            foreach (var (code, count) in _failures)
                text.Value("lighttts_server_failures_total", $"code=\"{code}\"", count);
            text.Header("lighttts_server_time_to_first_audio_seconds", "Time from a request's arrival to its first audio", "histogram");
            text.Histogram("lighttts_server_time_to_first_audio_seconds", "", _firstAudio);
            text.Header("lighttts_server_audio_seconds_total", "Seconds of audio that were sent", "counter");
            text.Value("lighttts_server_audio_seconds_total", "", _audioSeconds);
        }
    }
}
