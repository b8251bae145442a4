using System.Text;
using LightTts.Extensions.Hosting;
using LightTts.Tests.Support;

namespace LightTts.Tests.Server;

/// <summary>The real engine behind the server: what comes over the wire is what the library says.</summary>
public class EmbeddedVoiceTests
{
    [Fact]
    public async Task The_wire_carries_what_the_library_speaks()
    {
        var pipeline = await SharedPipeline.GetAsync();
        await using var server = await TestServer.StartAsync(new SharedLoader(pipeline));
        using var answer = await server.Client.PostAsync("/v1/audio/speech",
            new StringContent("""{"input":"Good morning to you.","voice":"slt","response_format":"pcm","sample_format":"f32","seed":3}""",
            Encoding.UTF8, "application/json"));
        var sent = await answer.Content.ReadAsByteArrayAsync();
        var expected = await pipeline.SpeakAsync(new SynthesisRequest { Text = "Good morning to you.", Voice = "slt", Seed = 3,
            Delivery = AudioDelivery.Streaming });
        Assert.Equal(expected.Samples.ToArray(), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(sent).ToArray());

        var wav = await File.ReadAllBytesAsync(Path.Combine(Repo.TinyEn, "prompts", "slt.wav"));
        foreach (var stream in new[] { "True", "False" })
        {
            using var cloned = await server.ZeroShotAsync(TestServer.Form("Hello there.",
                "You are a helpful assistant.<|endofprompt|>The garden looks lovely this morning.", wav, ("stream", stream)));
            Assert.InRange((await cloned.Content.ReadAsByteArrayAsync()).Length, 12_000, 480_000);
        }
        using var talk = await Talk.BeginAsync(server, """{"prompt_text":"The garden looks lovely this morning."}""", wav);
        foreach (var piece in new[] { "Hello ", "there, ", "my ", "friend." })
            await talk.SendAsync($"{{\"tts_text\":\"{piece}\"}}");
        await talk.SendAsync("""{"finish":true}""");
        Assert.InRange((await talk.ReadAsync()).Audio.Length, 12_000, 960_000);
        await server.AssertServesAsync();
    }

    /// <summary>The tests' shared pipeline, which outlives the server.</summary>
    private sealed class SharedLoader(TtsPipeline pipeline) : IPipelineLoader
    {
        public Task<ITtsPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken) =>
            Task.FromResult<ITtsPipeline>(new Borrowed(pipeline));
    }

    private sealed class Borrowed(TtsPipeline pipeline) : ITtsPipeline
    {
        public TtsModelInfo Model => pipeline.Model;

        public ITimbreStore Timbres => pipeline.Timbres;

        public IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default) =>
            pipeline.SynthesizeAsync(request, cancellationToken);

        public IAsyncEnumerable<AudioChunk> SynthesizeAsync(IAsyncEnumerable<string> text, SynthesisRequest? request = null,
            CancellationToken cancellationToken = default) =>
            pipeline.SynthesizeAsync(text, request, cancellationToken);

        public ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default) =>
            pipeline.NormalizeAsync(request, cancellationToken);

        public IAsyncEnumerable<AudioChunk> ConvertAsync(AudioClip source, ConversionRequest? request = null,
            CancellationToken cancellationToken = default) => pipeline.ConvertAsync(source, request, cancellationToken);

        public IAsyncEnumerable<AudioChunk> ConvertAsync(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
            CancellationToken cancellationToken = default) => pipeline.ConvertAsync(source, request, cancellationToken);

        public TtsPipelineStatus Status => pipeline.Status;

        public IReadOnlyList<string> Styles => pipeline.Styles;

        public Task AddStyleAsync(string name, string path, CancellationToken cancellationToken = default) =>
            pipeline.AddStyleAsync(name, path, cancellationToken);

        public Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken = default) =>
            pipeline.RemoveStyleAsync(name, cancellationToken);

        public Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => Task.FromResult(true);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
