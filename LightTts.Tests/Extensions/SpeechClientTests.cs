#pragma warning disable MEAI001
using System.Diagnostics;
using LightTts.Extensions;
using LightTts.Extensions.AI;
using LightTts.Tests.Extensions.Fakes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Extensions;

public class SpeechClientTests
{
    [Fact]
    public async Task Whole_audio_is_one_wav_with_usage_and_facts()
    {
        await using var pipeline = new FakePipeline(new TtsPipelineOptions(), "fake");
        using var client = pipeline.AsTextToSpeechClient();
        var response = await client.GetAudioAsync(Hosts.Story);
        var audio = Assert.IsType<DataContent>(Assert.Single(response.Contents));
        Assert.Equal("audio/wav", audio.MediaType);
        var wav = audio.Data.ToArray();
        Assert.Equal("RIFF", System.Text.Encoding.ASCII.GetString(wav, 0, 4));
        Assert.Equal(100, BitConverter.ToInt32(wav, 24));
        Assert.Equal(wav.Length - 44, BitConverter.ToInt32(wav, 40));
        Assert.Equal(response.Usage!.OutputTokenCount * 4 * sizeof(short), wav.Length - 44); // the fake speaks four samples a token
        Assert.Equal("fake", response.ModelId);
        Assert.NotEmpty(response.ResponseId!);
        Assert.Equal((100, "little-endian"), (response.AdditionalProperties!["sample_rate"], response.AdditionalProperties["byte_order"]));
        Assert.Equal(AudioDelivery.Whole, pipeline.Requests.Single().Delivery);
    }

    [Theory]
    [InlineData("pcm")]
    [InlineData("audio/wav")]
    [InlineData(null)]
    public async Task Streamed_pieces_joined_are_the_whole(string? format)
    {
        await using var pipeline = new FakePipeline(new TtsPipelineOptions(), "fake");
        using var client = pipeline.AsTextToSpeechClient();
        var options = new TextToSpeechOptions { AudioFormat = format, RawRepresentationFactory = _ => new SynthesisRequest { Seed = 3 } };
        var whole = await client.GetAudioAsync(Hosts.Story,
            new TextToSpeechOptions { AudioFormat = format ?? "pcm", RawRepresentationFactory = options.RawRepresentationFactory });
        List<TextToSpeechResponseUpdate> updates = [];
        await foreach (var update in client.GetStreamingAudioAsync(Hosts.Story, options))
            updates.Add(update);
        Assert.Equal(TextToSpeechResponseUpdateKind.SessionOpen, updates[0].Kind);
        Assert.Equal(TextToSpeechResponseUpdateKind.AudioUpdated, updates[^2].Kind);
        Assert.Equal(TextToSpeechResponseUpdateKind.SessionClose, updates[^1].Kind);
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
        var joined = updates.SelectMany(update => update.Contents.OfType<DataContent>()).SelectMany(content => content.Data.ToArray()).ToArray();
        var expected = ((DataContent)whole.Contents[0]).Data.ToArray();
        var body = format == "audio/wav" ? 44 : 0;
        Assert.Equal(expected[body..], joined[body..]);
        if (body > 0)
            Assert.Equal((100, uint.MaxValue), (BitConverter.ToInt32(joined, 24), BitConverter.ToUInt32(joined, 40)));
        Assert.Equal(whole.Usage!.OutputTokenCount, updates.ToTextToSpeechResponse().Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Options_reach_the_request()
    {
        await using var pipeline = new FakePipeline(new TtsPipelineOptions(), "fake");
        using var client = pipeline.AsTextToSpeechClient();
        await client.GetAudioAsync("one.", new TextToSpeechOptions { VoiceId = "slt", Speed = 1.5f, ModelId = "fake" });
        await client.GetAudioAsync("two.", new TextToSpeechOptions { Language = "de-AT" });
        await client.GetAudioAsync("three.",
            new TextToSpeechOptions { Language = "en-GB", RawRepresentationFactory = _ =>
            new SynthesisRequest { Instruction = "softly", Seed = 5 } });
        await foreach (var _ in client.GetStreamingAudioAsync("four.", new TextToSpeechOptions { Speed = 2 }))
        {
        }
        Assert.Equal(("slt", 1.5), (pipeline.Requests[0].Voice, pipeline.Requests[0].Speed));
        Assert.Equal("gisela", pipeline.Requests[1].Voice);
        Assert.Equal((null, "softly", 5L), (pipeline.Requests[2].Voice, pipeline.Requests[2].Instruction, pipeline.Requests[2].Seed));
        Assert.Equal((AudioDelivery.Whole, 2), (pipeline.Requests[3].Delivery, pipeline.Requests[3].Speed));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said()
    {
        await using var pipeline = new FakePipeline(new TtsPipelineOptions(), "fake");
        using var client = pipeline.AsTextToSpeechClient();
        async Task<string> Refusal(TextToSpeechOptions options) =>
            (await Assert.ThrowsAsync<TtsRequestException>(() => client.GetAudioAsync("hello.", options))).Message;
        Assert.Contains("Use wav, pcm, opus, flac, mp3 or aac", await Refusal(new TextToSpeechOptions { AudioFormat = "midi" }));
        Assert.Contains("Its languages are: en, de", await Refusal(new TextToSpeechOptions { Language = "fr" }));
        Assert.Contains("speaks with 'fake'", await Refusal(new TextToSpeechOptions { ModelId = "tts-1" }));
        Assert.Empty(pipeline.Requests);
    }

    [Fact]
    public async Task Volume_scales_the_samples_and_pitch_is_refused()
    {
        await using var pipeline = new FakePipeline(new TtsPipelineOptions(), "fake");
        using var client = pipeline.AsTextToSpeechClient();
        async Task<short[]> Speak(float? volume)
        {
            var options = new TextToSpeechOptions { Volume = volume, Pitch = 1, AudioFormat = "pcm", RawRepresentationFactory = _ =>
                new SynthesisRequest { Seed = 3 } };
            var audio = (DataContent)(await client.GetAudioAsync("one two.", options)).Contents[0];
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(audio.Data.Span).ToArray();
        }

        var full = await Speak(null);
        Assert.Contains(full, sample => sample != 0);
        Assert.Equal(full, await Speak(1));
        Assert.All((await Speak(0.5f)).Zip(full), pair => Assert.InRange(pair.First - pair.Second / 2f, -0.51f, 0.51f));
        Assert.All(await Speak(0), sample => Assert.Equal(0, sample));
        async Task<string> Refusal(TextToSpeechOptions options) =>
            (await Assert.ThrowsAsync<TtsRequestException>(() => client.GetAudioAsync("hello.", options))).Message;
        Assert.Contains("Pitch is 1.2, but a voice has only its own pitch", await Refusal(new TextToSpeechOptions { Pitch = 1.2f }));
        Assert.Contains("Volume is 1.5; use 0 (silent) to 1", await Refusal(new TextToSpeechOptions { Volume = 1.5f }));
    }

    /// <summary>As requests that are made without the client.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Requests_that_wait_for_the_model_are_counted_and_their_deadlines_run(bool streamed)
    {
        var time = new FakeTimeProvider();
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services => services.AddLightTts(options =>
        {
            options.WarmUp = WarmUpMode.Background;
            options.MaxActiveRequests = 2;
        }), time);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITextToSpeechClient>();
        async Task Speak(string text, TimeSpan? timeout = null)
        {
            var options = new TextToSpeechOptions { RawRepresentationFactory = _ => new SynthesisRequest { Timeout = timeout } };
            if (!streamed)
                await client.GetAudioAsync(text, options);
            else
                await foreach (var _ in client.GetStreamingAudioAsync(text, options))
                {
                }
        }

        var impatient = Speak("one.", TimeSpan.FromSeconds(2));
        var patient = Speak("two.", TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<TtsQueueFullException>(() => Speak("three."));
        time.Advance(TimeSpan.FromSeconds(4));
        await Assert.ThrowsAsync<TtsTimeoutException>(() => impatient);
        loader.Release();
        await patient;
        Assert.Equal(TimeSpan.FromSeconds(6), loader.Pipeline.Requests.Single(request => request.Text == "two.").Timeout);
        await host.StopAsync();
    }

    [Fact]
    public async Task Services_of_the_client()
    {
        await using var pipeline = new FakePipeline(new TtsPipelineOptions(), "fake");
        using var client = pipeline.AsTextToSpeechClient();
        Assert.Same(pipeline, client.GetService<ITtsPipeline>());
        Assert.Same(client, client.GetService<LightTtsSpeechClient>());
        Assert.Null(client.GetService<ITtsPipeline>("key"));
        Assert.Null(client.GetService<string>());
        var metadata = client.GetService<TextToSpeechClientMetadata>()!;
        Assert.Equal(("lighttts", "fake"), (metadata.ProviderName, metadata.DefaultModelId));
    }

    [Fact]
    public async Task Works_under_the_middleware_of_a_host_while_the_model_loads()
    {
        var source = "speech-client-test";
        List<Activity> spans = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = candidate => candidate.Name == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services =>
        {
            services.AddLogging(logging => logging.AddFakeLogging().SetMinimumLevel(LogLevel.Debug));
            services.AddLightTts(options => options.WarmUp = WarmUpMode.Background);
            services.AddTextToSpeechClient(provider =>
                provider.GetRequiredService<ITtsPipeline>().AsTextToSpeechClient()).UseLogging().UseOpenTelemetry(sourceName: source);
        });
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITextToSpeechClient>();
        Assert.Equal("lighttts-tiny-en", client.GetService<TextToSpeechClientMetadata>()!.DefaultModelId);
        var speech = client.GetAudioAsync("one two three.");
        loader.Release();
        Assert.Equal("lighttts-tiny-en", (await speech).ModelId);
        Assert.Equal("lighttts", Assert.Single(spans).GetTagItem("gen_ai.provider.name"));
        Assert.Contains(host.Services.GetFakeLogCollector().GetSnapshot(), record =>
            record.Category!.Contains("TextToSpeechClient") && record.Message.Contains("GetAudioAsync"));
        await host.StopAsync();
    }

    [Fact]
    public async Task The_registered_client_comes_with_its_pipeline_and_keyed_ones_with_theirs()
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts().AddKeyedLightTts("guide"));
        await host.StartAsync();
        Assert.Same(host.Services.GetRequiredService<ITtsPipeline>(),
            host.Services.GetRequiredService<ITextToSpeechClient>().GetService<ITtsPipeline>());
        Assert.Same(host.Services.GetRequiredKeyedService<ITtsPipeline>("guide"),
            host.Services.GetRequiredKeyedService<ITextToSpeechClient>("guide").GetService<ITtsPipeline>());
        await host.StopAsync();
    }
}
