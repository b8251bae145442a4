using System.Text.Encodings.Web;
using System.Text.Json;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Seed;

/// <summary>Answers in the shapes of the seed system: <c>{"message": ...}</c>, <c>{"detail": ...}</c>.</summary>
internal static class SeedAnswers
{
    public const string BadAudio = "audio file format is incorrect";

    public const string NoStreamSpeed = "speed change only support non-stream inference mode";

    private static readonly JavaScriptEncoder Plain = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>A failure: 400, 413, 429 and 503 as they are, everything that failed in synthesis as 417, as the seed's clients expect it.</summary>
    public static Task WriteAsync(HttpContext context, Failure failure)
    {
        if (failure is SeedFormFailure form)
            return WriteJsonAsync(context, StatusCodes.Status422UnprocessableEntity, form.Body());
        RequestRunner.Prepare(context.Response, failure);
        var status = failure.Code is "model_not_found" or "timeout" or "synthesis_failed" ? StatusCodes.Status417ExpectationFailed : failure.Status;
        var message = failure.Code == "invalid_audio" ? BadAudio : failure.Message;
        return WriteJsonAsync(context, status, Message(message));
    }

    public static string Message(string message) => $"{{\"message\":{Quote(message)}}}";

    public static string Detail(string message) => $"{{\"detail\":{Quote(message)}}}";

    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, Plain)}\"";

    public static Task WriteJsonAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        var bytes = System.Text.Encoding.UTF8.GetBytes(json);
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
