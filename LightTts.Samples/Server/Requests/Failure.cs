using Microsoft.AspNetCore.Http;

namespace LightTts.Samples.Server.Requests;

/// <summary>Why a request is not served, as a client may be told: no text, no path, no stack.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">A word for programs.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="RetryAfter">When to try again, where that helps.</param>
/// <param name="Parameter">The field at fault, where there is one.</param>
internal record Failure(int Status, string Code, string Message, TimeSpan? RetryAfter = null, string? Parameter = null)
{
    public static Failure Invalid(string message, string? parameter = null) =>
        new(StatusCodes.Status400BadRequest, "invalid_request", message, null, parameter);

    public static Failure Audio(string message) => new(StatusCodes.Status400BadRequest, "invalid_audio", message);

    public static Failure AudioLength(string message) => new(StatusCodes.Status400BadRequest, "audio_length", message);

    public static Failure TooLarge(string message) => new(StatusCodes.Status413PayloadTooLarge, "too_large", message);

    public static Failure Busy(string message) => new(StatusCodes.Status429TooManyRequests, "busy", message, TimeSpan.FromSeconds(1));

    public static Failure Loading { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "loading", "The model is still loading.", TimeSpan.FromSeconds(5));

    public static Failure Stopping { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "stopping", "The server is stopping.", TimeSpan.FromSeconds(5));

    public static Failure Broken { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "model_unavailable", "The model could not be loaded; the server's log says why.");

    public static Failure Internal { get; } =
        new(StatusCodes.Status500InternalServerError, "synthesis_failed", "The engine failed on this request; other requests are not affected.");

    /// <summary>What a client may know of an exception.</summary>
    public static Failure Of(Exception error) => error switch
    {
        RequestFailedException failed => failed.Failure,
        TtsRequestException => Invalid(error.Message),
        TtsAudioException => Audio(error.Message),
        NotSupportedException => Invalid(error.Message, "response_format"),
        TtsQueueFullException => Busy("The server is busy."),
        TtsTimeoutException => new Failure(StatusCodes.Status504GatewayTimeout, "timeout", error.Message),
        TtsModelLoadException or TtsBackendException => Broken,
        ObjectDisposedException => Stopping,
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => TooLarge("The request is too large."),
        BadHttpRequestException { StatusCode: var status } => new Failure(status, "bad_request", "The request cannot be read."),
        InvalidDataException => Invalid("There was an error parsing the body"),
        OperationCanceledException => new Failure(StatusCodes.Status499ClientClosedRequest, "cancelled", "The client has gone."),
        IOException => new Failure(StatusCodes.Status499ClientClosedRequest, "disconnected", "The client has gone."),
        _ => Internal,
    };

    /// <summary>Whether it is the server's own fault, for the log.</summary>
    public bool IsOurs => Status >= StatusCodes.Status500InternalServerError && Status != StatusCodes.Status503ServiceUnavailable;
}
