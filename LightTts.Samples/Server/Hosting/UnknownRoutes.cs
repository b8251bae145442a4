using LightTts.Samples.Server.OpenAI;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Seed;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Gives answers without a body the shape of the API that was asked; what nobody caught ends here, too.</summary>
internal static class UnknownRoutes
{
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var failure = Failure.Of(e);
            if (failure.IsOurs)
                ServerLog.Failed(context.RequestServices.GetRequiredService<RequestRunner>().Log, e, context.TraceIdentifier, "-", "-",
                failure.Status, failure.Code, 0, 0);
            await AnswerAsync(context, failure);
            return;
        }
        if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status404NotFound, ContentLength: null, ContentType: null })
            await AnswerAsync(context, new Failure(StatusCodes.Status404NotFound, "not_found", "Not Found"));
        else if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed, ContentLength: null, ContentType: null })
            await AnswerAsync(context, new Failure(StatusCodes.Status405MethodNotAllowed, "method_not_allowed", "Method Not Allowed"));
    }

    private static Task AnswerAsync(HttpContext context, Failure failure) => context.Request.Path.StartsWithSegments("/v1")
        ? OpenAIErrors.WriteAsync(context, failure)
        : SeedAnswers.WriteJsonAsync(context, failure.Status, SeedAnswers.Detail(failure.Message));
}
