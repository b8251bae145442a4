using System.Diagnostics;
using LightTts.Diagnostics;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>What logs, spans and metrics are told about requests: accepted, refused, ended.</summary>
/// <param name="modelName">In spans and metrics.</param>
/// <param name="log">Where messages go; must not throw.</param>
/// <param name="sampleRate">Samples a second of the requests' audio.</param>
internal sealed class RequestReports(string modelName, ILogger log, int sampleRate)
{
    /// <summary>The span of a request; null where nobody listens.</summary>
    public Activity? Begun(SynthesisRequest request) => LightTtsDiagnostics.StartRequest(modelName, request);

    public void Accepted(SynthesisJob job)
    {
        LightTtsDiagnostics.RequestStarted();
        job.Activity?.SetTag("lighttts.request.id", job.Id);
        var request = job.Request;
        using (LightTtsDiagnostics.Within(job.Activity))
        {
            LogMessages.Accepted(log, job.Id, request.Delivery ?? AudioDelivery.Streaming, job.Source is null ? request.Text.Length : 0,
                request.Timbre?.Name ?? request.Voice ?? "default");
            if (job.Source is null && job.Speech is null)
                LogMessages.RequestText(log, job.Id, request.Text);
        }
    }

    /// <summary>There were as many requests as may be.</summary>
    public void Refused(SynthesisRequest request, int limit)
    {
        LogMessages.QueueFull(log, limit);
        LightTtsDiagnostics.RequestRefused(modelName, request, nameof(TtsQueueFullException));
    }

    /// <summary>Whichever way it ended. Does not throw.</summary>
    public void Ended(SynthesisJob job)
    {
        try
        {
            var audio = (double)job.Samples / sampleRate;
            using (LightTtsDiagnostics.Within(job.Activity))
            {
                if (job.Error is null)
                    LogMessages.Completed(log, job.Id, audio, job.Elapsed.TotalSeconds, job.FirstAudio.TotalSeconds);
                else if (job.Error is OperationCanceledException)
                    LogMessages.Cancelled(log, job.Id, job.Elapsed.TotalSeconds);
                else
                    LogMessages.Failed(log, job.Error, job.Id, job.Elapsed.TotalSeconds);
            }
            LightTtsDiagnostics.RequestEnded(job.Activity, modelName, job.Elapsed, job.FirstAudio, audio, LightTtsDiagnostics.ErrorType(job.Error));
        }
        catch (Exception)
        {
            // A listener of the metrics or spans threw; neither the request nor the stage that ended it has to suffer for that.
        }
    }
}
