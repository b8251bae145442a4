using System.Text.Json;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.OpenAI;

/// <summary>Failures in the shape of OpenAI's API.</summary>
internal static class OpenAIErrors
{
    public static Task WriteAsync(HttpContext context, Failure failure)
    {
        RequestRunner.Prepare(context.Response, failure);
        return WriteJsonAsync(context, failure.Status,
            new ErrorAnswer(new ErrorBody(failure.Message, Kind(failure.Status), failure.Parameter, failure.Code)),
            OpenAIJson.Plain.ErrorAnswer);
    }

    public static Task WriteJsonAsync<T>(HttpContext context, int status, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    private static string Kind(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };
}
