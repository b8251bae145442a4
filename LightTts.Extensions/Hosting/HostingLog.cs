using Microsoft.Extensions.Logging;

namespace LightTts.Extensions.Hosting;

/// <summary>What the host logs about its pipelines; event ids from 2000.</summary>
internal static partial class HostingLog
{
    public const string Category = "LightTts.Hosting";

    [LoggerMessage(2000, LogLevel.Information, "Loading {Model} ({WarmUp})")]
    public static partial void Loading(ILogger log, string model, WarmUpMode warmUp);

    [LoggerMessage(2001, LogLevel.Information, "{Model} is ready after {Seconds:0.0} s")]
    public static partial void Ready(ILogger log, string model, double seconds);

    [LoggerMessage(2002, LogLevel.Error, "{Model} could not be loaded; its requests fail until the cause is cured and the host restarted")]
    public static partial void LoadFailed(ILogger log, Exception error, string model);

    [LoggerMessage(2003, LogLevel.Debug, "{Model}: {Step} loaded, {Percent:0} %")]
    public static partial void Progress(ILogger log, string model, string step, double percent);

    [LoggerMessage(2004, LogLevel.Information, "{Model} is not warmed up: it has no preset voice to speak in")]
    public static partial void NotWarmedUp(ILogger log, string model);

    [LoggerMessage(2005, LogLevel.Information, "Stopping {Model}: {Requests} requests may end within {Seconds:0} s")]
    public static partial void Draining(ILogger log, string model, int requests, double seconds);

    [LoggerMessage(2006, LogLevel.Information, "{Model}: all requests are done")]
    public static partial void Drained(ILogger log, string model);

    [LoggerMessage(2007, LogLevel.Warning,
        "{Model}: {Requests} requests were not done in time and are ended; LightTtsOptions.DrainTimeout sets the time")]
    public static partial void DrainTimedOut(ILogger log, string model, int requests);

    [LoggerMessage(2008, LogLevel.Error, "{Model} could not be closed")]
    public static partial void CloseFailed(ILogger log, Exception error, string model);
}
