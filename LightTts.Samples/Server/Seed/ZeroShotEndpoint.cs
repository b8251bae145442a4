using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.Seed;

/// <summary><c>POST /inference_zero_shot</c>: a text in the voice of an upload, as raw 16-bit samples, whole or streamed.</summary>
internal sealed class ZeroShotEndpoint(ServerOptions options, RequestRunner runner, Admission admission, StyleCatalog styles, TimeProvider time)
{
    public const string Route = "/inference_zero_shot";

    public Task HandleAsync(HttpContext context) => runner.RunAsync(context, Route, SeedAnswers.WriteAsync, async (client, record) =>
    {
        using var reading = admission.BeginUpload(client);
        var form = SeedForm.Parse(await Uploads.ReadFormAsync(context, options, time), options);
        var style = styles.Find(form.Style);
        await using var upload = form.PromptWav.OpenReadStream();
        var audio = await Uploads.DecodeAsync(upload, options, context.RequestAborted);
        var (transcript, instruction) = PromptText.Split(form.PromptText);
        using var place = admission.Enter(client);
        reading.Dispose();
        if (!form.Text.Any(char.IsLetterOrDigit) && !form.Text.Any(char.IsSurrogate))
        {
            await context.Response.StartAsync(context.RequestAborted); // nothing to say is an empty success here
            return;
        }
        var request = new SynthesisRequest
        {
            Text = form.Text,
            Style = style.Language,
            Timbre = await style.Pipeline.Timbres.AddAsync(audio, transcript.Length > 0 ? transcript : null, null, context.RequestAborted),
            Instruction = instruction,
            Delivery = form.Stream ? AudioDelivery.Streaming : AudioDelivery.Whole,
            Speed = form.Speed,
            Timeout = options.RequestTimeout,
        };
        if (form.Stream)
            await StreamAsync(context, style, request, record);
        else
            await WholeAsync(context, style, request, record);
    });

    private async Task StreamAsync(HttpContext context, Style style, SynthesisRequest request, RequestRecord record)
    {
        var body = new BodyWriter(context, options.SendTimeout, time);
        await context.Response.StartAsync(context.RequestAborted); // the headers go out before there is audio
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var chunk in style.Pipeline.SynthesizeAsync(request, context.RequestAborted))
        {
            record.Sent(chunk);
            await body.WriteAsync(SeedPcm.Bytes(chunk.Samples.Span));
        }
    }

    /// <summary>Nothing is sent before all is there: an error in the last sentence is still a status.</summary>
    private async Task WholeAsync(HttpContext context, Style style, SynthesisRequest request, RequestRecord record)
    {
        List<byte[]> segments = [];
        await foreach (var chunk in style.Pipeline.SynthesizeAsync(request, context.RequestAborted))
        {
            record.Sent(chunk);
            segments.Add(SeedPcm.Bytes(chunk.Samples.Span));
        }
        var body = new BodyWriter(context, options.SendTimeout, time);
        foreach (var segment in segments)
            await body.WriteAsync(segment);
    }
}
