using LightTts.Extensions.Formats;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.OpenAI;

/// <summary><c>POST /v1/audio/speech</c>: audio leaves, encoded, while the rest is spoken.</summary>
internal sealed class SpeechEndpoint(ServerOptions options, RequestRunner runner, Admission admission, StyleCatalog styles, TimeProvider time)
{
    public const string Route = "/v1/audio/speech";

    public Task HandleAsync(HttpContext context) => runner.RunAsync(context, Route, OpenAIErrors.WriteAsync, async (client, record) =>
    {
        SpeechForm form;
        using (admission.BeginUpload(client))
            form = await Uploads.InTimeAsync(context, options, time, token => SpeechForm.ReadAsync(context, options, token));
        var style = styles.Find(form.Model);
        var request = await VoiceCatalog.WithVoiceAsync(new SynthesisRequest
        {
            Text = form.Input,
            Style = style.Language,
            Instruction = form.Instructions,
            Speed = form.Speed,
            // Another speed stretches sentences as a whole; they still leave one by one.
            Delivery = form.Speed == 1 ? AudioDelivery.Streaming : AudioDelivery.Whole,
            Seed = form.Seed,
            Language = form.Language,
            Timeout = options.RequestTimeout,
        }, style, client, form.Voice, context.RequestAborted);
        using var place = admission.Enter(client);
        await SpeakAsync(context, form, style, request, record);
    });

    private async Task SpeakAsync(HttpContext context, SpeechForm form, Style style, SynthesisRequest request, RequestRecord record)
    {
        await using var chunks = style.Pipeline.SynthesizeAsync(request, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        var any = await chunks.MoveNextAsync(); // until there is audio, an error is still a status
        var body = new BodyWriter(context, options.SendTimeout, time);
        var events = form.Events ? new EventStream(body) : null;
        await using var encoder = AudioEncoder.Create((Stream?)events ?? body, style.Pipeline.Model.SampleRate, form.Encoding);
        context.Response.ContentType = form.Events ? "text/event-stream" : AudioFormats.MediaType(form.Encoding.Format);
        if (form.Events)
            context.Response.Headers.CacheControl = "no-cache";
        var tokens = 0;
        try
        {
            for (; any; any = await chunks.MoveNextAsync())
            {
                var chunk = chunks.Current;
                tokens += chunk.SpeechTokens.Length;
                record.Sent(chunk);
                if (events is not null)
                    events.Chunk = (chunk.Start.TotalSeconds, chunk.TextRange.Start.Value, chunk.TextRange.End.Value);
                await encoder.WriteAsync(chunk.Samples, context.RequestAborted);
            }
            await encoder.CompleteAsync(context.RequestAborted);
        }
        catch (Exception e) when (events is not null && !context.RequestAborted.IsCancellationRequested)
        {
            var failure = Failure.Of(e);
            await events.SendAsync(new ErrorEvent("error", new ErrorBody(failure.Message, "server_error", null, failure.Code)),
                OpenAIJson.Plain.ErrorEvent);
            throw;
        }
        if (events is not null)
            await events.SendAsync(new DoneEvent("speech.audio.done", new UsageAnswer(form.Input.Length, tokens, form.Input.Length + tokens)),
            OpenAIJson.Plain.DoneEvent);
    }
}
