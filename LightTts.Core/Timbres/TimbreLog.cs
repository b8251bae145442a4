using Microsoft.Extensions.Logging;

namespace LightTts.Timbres;

/// <summary>The store's log messages, event ids from 3000.</summary>
internal static partial class TimbreLog
{
    [LoggerMessage(3001, LogLevel.Warning,
        "The shared segment of voices {Path} cannot be used ({Reason}); it is left as it is, and {Other} is used instead. Delete or move it to have "
        + "{Path} used again.")]
    public static partial void Beside(ILogger logger, string path, string? reason, string other);

    [LoggerMessage(3002, LogLevel.Warning, "Voices are kept in this process only: the shared segment cannot be used ({Reason}).")]
    public static partial void ProcessOnly(ILogger logger, string reason);

    [LoggerMessage(3003, LogLevel.Warning,
        "New voices are kept in this process only for now: the shared segment {Path} cannot be written ({Reason}).")]
    public static partial void NotPublished(ILogger logger, string path, string reason);

    [LoggerMessage(3004, LogLevel.Debug, "The shared segment {Path} was full and has been compacted; {Entries} voices and names were in it.")]
    public static partial void Compacted(ILogger logger, string path, int entries);

    [LoggerMessage(3006, LogLevel.Warning,
        "A file of the named voices is damaged and was passed over: {Path} ({Reason}). Delete it, or add the voice again.")]
    public static partial void DamagedFile(ILogger logger, string path, string reason);

    [LoggerMessage(3007, LogLevel.Warning,
        "'{Name}' is one of the model's voices, so the learnt voice of that name is not used. Rename or remove the learnt one.")]
    public static partial void Shadowed(ILogger logger, string name);

    [LoggerMessage(3005, LogLevel.Warning, "A voice in the shared segment {Path} is damaged and was passed over ({Reason}).")]
    public static partial void Damaged(ILogger logger, string path, string reason);
}
