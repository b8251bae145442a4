namespace LightTts.Samples.Server;

/// <summary>What the server logs: one event a request, without its text.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information,
        "{RequestId} {Route} {Client} done in {Milliseconds:0} ms: {AudioSeconds:0.00} s of audio, the first after {FirstAudioMilliseconds:0} ms")]
    public static partial void Done(ILogger log, string requestId, string route, string client, double milliseconds, double firstAudioMilliseconds,
        double audioSeconds);

    [LoggerMessage(2, LogLevel.Information,
        "{RequestId} {Route} {Client} ended with {Status} {Code} after {Milliseconds:0} ms and {AudioSeconds:0.00} s of audio")]
    public static partial void Refused(ILogger log, string requestId, string route, string client, int status, string code, double milliseconds,
        double audioSeconds);

    [LoggerMessage(3, LogLevel.Error,
        "{RequestId} {Route} {Client} failed with {Status} {Code} after {Milliseconds:0} ms and {AudioSeconds:0.00} s of audio")]
    public static partial void Failed(ILogger log, Exception? error, string requestId, string route, string client, int status, string code,
        double milliseconds,
        double audioSeconds);

    [LoggerMessage(4, LogLevel.Warning, "The option {Option} has no meaning here and is ignored: {Reason}")]
    public static partial void OptionIgnored(ILogger log, string option, string reason);

    [LoggerMessage(5, LogLevel.Information, "Stopping: {Active} requests may run for {Seconds:0} s more; another Ctrl-C ends them")]
    public static partial void Draining(ILogger log, int active, double seconds);
}
