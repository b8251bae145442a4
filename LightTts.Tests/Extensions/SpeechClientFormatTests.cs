#pragma warning disable MEAI001
using LightTts.Extensions.AI;
using LightTts.Extensions.Formats;
using LightTts.Tests.Extensions.Formats;
using LightTts.Tests.Server;
using Microsoft.Extensions.AI;

namespace LightTts.Tests.Extensions;

/// <summary>Microsoft.Extensions.AI's client in every format of the library.</summary>
public class SpeechClientFormatTests
{
    private static readonly StubPipeline Pipeline = new() { Speak = (_, _) =>
        StubPipeline.Chunks(Sounds.Tone(24_000), Sounds.Tone(30), Sounds.Tone(12_000)) };
    private const int Samples = 36_030;

    [Theory]
    [InlineData("wav", "audio/wav", Samples)]
    [InlineData("pcm", "audio/l16", Samples)]
    [InlineData("audio/flac", "audio/flac", Samples)]
    [InlineData("opus", "audio/ogg", Samples)]
    [InlineData("mp3", "audio/mpeg", null)]
    [InlineData("aac", "audio/aac", null)]
    public async Task Streamed_and_whole_audio_come_in_the_format_that_was_asked_for(string name, string type, int? samples)
    {
        Assert.True(AudioFormats.TryParse(name, out var format));
        Assert.SkipUnless(AudioFormats.IsAvailable(format), "ffmpeg is not installed");
        using var client = Pipeline.AsTextToSpeechClient();
        var options = new TextToSpeechOptions { AudioFormat = name };
        var whole = Assert.IsType<DataContent>(Assert.Single((await client.GetAudioAsync("Hi.", options)).Contents));
        Assert.Equal(type, whole.MediaType);
        List<byte> joined = [];
        await foreach (var update in client.GetStreamingAudioAsync("Hi.", options))
            foreach (var piece in update.Contents.OfType<DataContent>())
            {
                Assert.Equal(type, piece.MediaType);
                joined.AddRange(piece.Data.Span);
            }
        foreach (var audio in new[] { whole.Data.ToArray(), joined.ToArray() })
        {
            var count = format switch
            {
                AudioFormat.Pcm => audio.Length / 2,
                AudioFormat.Opus => OggReader.Decode(audio, 24_000).Length,
                AudioFormat.Flac => new FlacReader(audio).Decode().Count,
                _ => (await AudioDecoder.DecodeAsync(new MemoryStream(audio))).Samples.Length,
            };
            if (samples is { } exact)
                Assert.Equal(exact, count);
            else
                Assert.InRange(count / 24_000.0, 1.4, 1.7); // these two begin and end with silence of their own
        }
    }

    [Fact]
    public async Task Rate_depth_and_volume_are_the_options()
    {
        using var client = Pipeline.AsTextToSpeechClient();
        TextToSpeechOptions Options(object depth) => new()
        {
            AudioFormat = "wav",
            Volume = 0.5f,
            AdditionalProperties = new() { ["sample_rate"] = 48_000, ["sample_format"] = depth },
        };
        var response = await client.GetAudioAsync("Hi.", Options("float32"));
        var clip = AudioClip.FromWav(new MemoryStream(((DataContent)response.Contents[0]).Data.ToArray()));
        Assert.Equal((48_000, 2 * Samples), (clip.SampleRate, clip.Samples.Length));
        var loudest = Sounds.Tone(24_000).Max() / 2;
        Assert.InRange(clip.Samples.Span[5_000..20_000].ToArray().Max(), loudest - 0.02f, loudest + 0.02f);
        Assert.Equal((48_000, 32, "little-endian"), (response.AdditionalProperties!["sample_rate"], response.AdditionalProperties["bits_per_sample"],
            response.AdditionalProperties["byte_order"]));
        Assert.Equal(24, (await client.GetAudioAsync("Hi.", Options(PcmSampleFormat.Int24))).AdditionalProperties!["bits_per_sample"]);
        var opus = await client.GetAudioAsync("Hi.", new TextToSpeechOptions { AudioFormat = "opus" });
        Assert.False(opus.AdditionalProperties!.ContainsKey("bits_per_sample"));
    }

    [Theory]
    [InlineData("opus", "sample_rate", 44_100, "Opus has 8,000")]
    [InlineData("wav", "sample_rate", 7, "sample rate must be from")]
    [InlineData("wav", "sample_rate", "fast", "use a whole number")]
    [InlineData("opus", "bit_rate", 1, "bit rate must be from")]
    [InlineData("wav", "sample_format", "deep", "use Int16, UInt8")]
    [InlineData("flac", "sample_format", "float32", "16 or 24 bits")]
    public async Task What_a_format_cannot_do_is_said_before_anything_is_spoken(string format, string property, object value, string message)
    {
        var pipeline = new StubPipeline();
        using var client = pipeline.AsTextToSpeechClient();
        var error = await Assert.ThrowsAsync<TtsRequestException>(() => client.GetAudioAsync("Hi.",
            new TextToSpeechOptions { AudioFormat = format, AdditionalProperties = new() { [property] = value } }));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(pipeline.Requests);
    }
}
