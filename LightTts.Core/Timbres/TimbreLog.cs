using Microsoft.Extensions.Logging;

namespace LightTts.Timbres;

/// <summary>The store's log messages, event ids from 3000.</summary>
internal static partial class TimbreLog
{
    [LoggerMessage(3001, LogLevel.Warning, "The shared segment of voices {Path} cannot be used ({Reason}); {Other} is used instead.")]
    public static partial void Beside(ILogger logger, string path, string? reason, string other);

    [LoggerMessage(3002, LogLevel.Warning, "Voices are kept in this process only: the shared segment cannot be used ({Reason}).")]
    public static partial void ProcessOnly(ILogger logger, string reason);

    [LoggerMessage(3003, LogLevel.Warning, "New voices are kept in this process only for now: the shared segment {Path} cannot be written ({Reason}).")]
    public static partial void NotPublished(ILogger logger, string path, string reason);

    [LoggerMessage(3004, LogLevel.Debug, "The shared segment {Path} was full and has been compacted; {Entries} voices and names were in it.")]
    public static partial void Compacted(ILogger logger, string path, int entries);

    [LoggerMessage(3005, LogLevel.Warning, "A voice in the shared segment {Path} is damaged and was passed over ({Reason}).")]
    public static partial void Damaged(ILogger logger, string path, string reason);
}
