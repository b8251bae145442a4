using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace LightTts.Samples.Server.Hosting;

/// <summary>What to say of a server that cannot start: which mistake in the set-up it is, and its cure.</summary>
internal static class StartFault
{
    /// <summary>Whether it is a mistake in the set-up; a stack trace would hide it.</summary>
    public static bool IsKnown(Exception error) =>
        error is ArgumentException or OptionsValidationException or IOException or SocketException or InvalidOperationException or TtsException;

    /// <summary>The error's own words, and the cure where a socket could not listen.</summary>
    public static string Explain(Exception error) => Cure(SocketErrorOf(error)) is { } cure ? $"{error.Message.TrimEnd('.')}. {cure}" : error.Message;

    private static string? Cure(SocketError? error) => error switch
    {
        SocketError.AddressAlreadyInUse => "Stop what listens there, or name another port (--port, --admin_port).",
        SocketError.AccessDenied => "This user may not listen there. Name a port from 1024 on (--port).",
        SocketError.AddressNotAvailable => "This machine has no such address. Name localhost, 0.0.0.0, or one that it has (--host).",
        _ => null,
    };

    /// <summary>Why a socket could not listen; one for both loopbacks has an error for each.</summary>
    private static SocketError? SocketErrorOf(Exception? error) => error switch
    {
        null => null,
        SocketException socket => socket.SocketErrorCode,
        AggregateException { InnerExceptions: [var first, ..] } => SocketErrorOf(first),
        _ => SocketErrorOf(error.InnerException),
    };
}
