using System.Net.WebSockets;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Seed;

/// <summary>How a bi-stream session ends: a frame with the error where the protocol has one, then a close frame.</summary>
internal sealed record BiStreamEnd(WebSocketCloseStatus Status, string Reason, string? ErrorFrame = null, Failure? Failure = null,
    Exception? Error = null)
{
    public static BiStreamEnd Done { get; } = new(WebSocketCloseStatus.NormalClosure, "");

    public static BiStreamEnd Gone { get; } =
        new(WebSocketCloseStatus.NormalClosure, "", null, new Failure(499, "disconnected", "The client has gone."));

    /// <summary>The frame breaks the protocol.</summary>
    public static BiStreamEnd Refused(WebSocketCloseStatus status, string reason) => new(status, reason, null, new Failure(400, "protocol", reason));

    /// <summary>Something failed once the session was set up: an error frame and a normal close, as the seed's clients expect it.</summary>
    public static BiStreamEnd Failed(Exception error)
    {
        var failure = Failure.Of(error);
        return new BiStreamEnd(WebSocketCloseStatus.NormalClosure, "", $"{{\"error\":{SeedAnswers.Quote("Server error: " + failure.Message)}}}",
            failure, error);
    }
}
