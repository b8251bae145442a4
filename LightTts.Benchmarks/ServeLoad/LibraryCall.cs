using System.Diagnostics;

namespace LightTts.Benchmarks.ServeLoad;

/// <summary>The same request without a server: to the library in this process, in a voice that is learnt already.</summary>
internal sealed class LibraryCall(ITtsPipeline pipeline, Timbre timbre) : ISpeechCall
{
    public async Task<CallResult> SpeakAsync(ServeMode mode, string text, CancellationToken cancellationToken)
    {
        var request = new SynthesisRequest
        {
            Timbre = timbre,
            Delivery = mode == ServeMode.Whole ? AudioDelivery.Whole : AudioDelivery.Streaming,
        };
        var watch = Stopwatch.StartNew();
        var chunks = mode == ServeMode.BiStream ? pipeline.SynthesizeAsync(WordsAsync(text), request, cancellationToken)
            : pipeline.SynthesizeAsync(request with { Text = text }, cancellationToken);
        var (samples, first) = (0L, TimeSpan.Zero);
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            if (samples == 0)
                first = watch.Elapsed;
            samples += chunk.Samples.Length;
        }
        return new CallResult(watch.Elapsed.TotalSeconds, first.TotalSeconds, samples / (double)pipeline.Model.SampleRate);
    }

    public Task<double?> ProcessorSecondsAsync(CancellationToken cancellationToken) =>
        Task.FromResult<double?>(Environment.CpuUsage.TotalTime.TotalSeconds);

    private static async IAsyncEnumerable<string> WordsAsync(string text)
    {
        foreach (var word in text.Split(' '))
        {
            await Task.Yield();
            yield return word + " ";
        }
    }
}
