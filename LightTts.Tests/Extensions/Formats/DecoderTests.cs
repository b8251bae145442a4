using LightTts.Extensions.Formats;

namespace LightTts.Tests.Extensions.Formats;

/// <summary>Uploads: what is audio is read, what is not is refused, and nothing grows beyond its limit.</summary>
public class DecoderTests
{
    [Theory]
    [InlineData(AudioFormat.Wav)]
    [InlineData(AudioFormat.Opus)]
    [InlineData(AudioFormat.Flac)]
    public async Task Reads_what_the_encoders_write(AudioFormat format)
    {
        Assert.SkipUnless(format == AudioFormat.Wav || AudioFormats.IsAvailable(AudioFormat.Mp3), "ffmpeg is not installed");
        var samples = Sounds.Tone(48_000);
        var clip = await AudioDecoder.DecodeAsync(new MemoryStream(await Sounds.Encode(samples, new AudioEncoderOptions { Format = format })));
        var ratio = clip.SampleRate / 24_000;
        Assert.Equal(samples.Length * ratio, clip.Samples.Length);
        Assert.InRange(clip.Samples.ToArray().Max(), 0.45f, 0.55f);
    }

    [Theory]
    [InlineData("")]
    [InlineData("RIFF")]
    [InlineData("hello, this is no audio at all")]
    [InlineData("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")]
    [InlineData("ffconcat version 1.0\nfile /etc/passwd\n")]
    public async Task What_is_no_audio_is_refused(string content) =>
        await Assert.ThrowsAsync<TtsAudioException>(() => AudioDecoder.DecodeAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content))));

    [Fact]
    public async Task A_playlist_opens_nothing()
    {
        Assert.SkipUnless(AudioFormats.IsAvailable(AudioFormat.Mp3), "ffmpeg is not installed");
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, await Sounds.Encode(Sounds.Tone(48_000), new AudioEncoderOptions()));
            foreach (var list in new[] { $"ffconcat version 1.0\nfile '{path}'\n",
                $"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\n{path}\n#EXT-X-ENDLIST\n" })
                await Assert.ThrowsAsync<TtsAudioException>(() =>
                AudioDecoder.DecodeAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(list))));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Decoding_stops_at_the_limit()
    {
        Assert.SkipUnless(AudioFormats.IsAvailable(AudioFormat.Mp3), "ffmpeg is not installed");
        // An hour of silence in FLAC: 0.5 MB that would be 345 MB of floats.
        var bomb = await Sounds.Encode(new float[24_000 * 3600], new AudioEncoderOptions { Format = AudioFormat.Flac });
        var error = await Assert.ThrowsAsync<TtsAudioException>(() => AudioDecoder.DecodeAsync(new MemoryStream(bomb)));
        Assert.Contains("31", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_beyond_its_bytes_is_refused()
    {
        Assert.SkipUnless(AudioFormats.IsAvailable(AudioFormat.Mp3), "ffmpeg is not installed");
        await Assert.ThrowsAsync<TtsAudioException>(() => AudioDecoder.DecodeAsync(new MemoryStream(new byte[100_000]), maxBytes: 50_000));
    }
}
