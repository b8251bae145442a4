using System.Diagnostics;
using LightTts.Extensions.Formats;
using LightTts.Tests.Support;

namespace LightTts.Tests.Extensions.Formats;

/// <summary>What the streaming encoders write is what other readers read.</summary>
public class EncoderTests
{
    [Theory]
    [InlineData(PcmSampleFormat.UInt8, 1 / 128.0)]
    [InlineData(PcmSampleFormat.Int16, 1 / 32768.0)]
    [InlineData(PcmSampleFormat.Int24, 1 / 8388608.0)]
    [InlineData(PcmSampleFormat.Int32, 1e-7)]
    [InlineData(PcmSampleFormat.Float32, 0)]
    public async Task Wav_of_every_depth_reads_back(PcmSampleFormat format, double step)
    {
        var samples = Sounds.Noise(10_000);
        var bytes = await Sounds.Encode(samples, new AudioEncoderOptions { SampleFormat = format });
        var clip = AudioClip.FromWav(new MemoryStream(bytes));
        Assert.Equal(samples.Length, clip.Samples.Length);
        Assert.Equal(24_000, clip.SampleRate);
        for (var i = 0; i < samples.Length; i++)
            Assert.InRange(Math.Abs(samples[i] - clip.Samples.Span[i]), 0, step * 0.51);
    }

    [Fact]
    public async Task Wav_says_its_length_where_the_stream_can_seek_and_leaves_it_open_where_not()
    {
        var seekable = await Sounds.Encode(Sounds.Tone(100), new AudioEncoderOptions());
        Assert.Equal(200, BitConverter.ToInt32(seekable, 40));
        Assert.Equal(236, BitConverter.ToInt32(seekable, 4));
        var pipe = new ForwardStream();
        await Sounds.Encode(Sounds.Tone(100), new AudioEncoderOptions(), stream: pipe);
        var open = pipe.ToArray();
        Assert.Equal(-1, BitConverter.ToInt32(open, 40));
        Assert.Equal(seekable[44..], open[44..]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(2047)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(300_000)]
    public async Task Flac_is_lossless_at_every_length(int length)
    {
        foreach (var (bits, format) in new[] { (16, PcmSampleFormat.Int16), (24, PcmSampleFormat.Int24) })
            foreach (var samples in new[] { Sounds.Tone(length), Sounds.Noise(length, 1.2f), new float[length] })
            {
                var bytes = await Sounds.Encode(samples, new AudioEncoderOptions { Format = AudioFormat.Flac, SampleFormat = format });
                var reader = new FlacReader(bytes);
                var decoded = reader.Decode();
                Assert.Equal((24_000, bits), (reader.Rate, reader.Bits));
                var scale = 1 << (bits - 1);
                Assert.Equal(samples.Select(sample => (int)Math.Clamp(Math.Round((double)sample * scale), -scale, scale - 1)), decoded);
            }
    }

    [Fact]
    public async Task Flac_is_smaller_than_what_it_stores()
    {
        var bytes = await Sounds.Encode(Sounds.Tone(48_000), new AudioEncoderOptions { Format = AudioFormat.Flac });
        Assert.InRange(bytes.Length, 1000, 48_000); // 96,000 as PCM
    }

    [Theory]
    [InlineData(8_000)]
    [InlineData(16_000)]
    [InlineData(24_000)]
    [InlineData(48_000)]
    public async Task Opus_keeps_the_sound_and_the_exact_length(int rate)
    {
        var samples = Sounds.Tone(rate * 3 / 2 + 17, rate);
        var bytes = await Sounds.Encode(samples, new AudioEncoderOptions { Format = AudioFormat.Opus }, rate);
        var decoded = OggReader.Decode(bytes, rate);
        Assert.Equal(samples.Length, decoded.Length);
        Assert.True(Sounds.Snr(samples.AsSpan((rate / 10)..^(rate / 10)), decoded.AsSpan((rate / 10)..^(rate / 10))) > 20);
        Assert.InRange(bytes.Length, 1000, rate * 2);
    }

    [Fact]
    public async Task Opus_of_nothing_is_a_valid_file()
    {
        var bytes = await Sounds.Encode([], new AudioEncoderOptions { Format = AudioFormat.Opus });
        Assert.Empty(OggReader.Decode(bytes, 24_000));
    }

    [Theory]
    [InlineData(AudioFormat.Wav)]
    [InlineData(AudioFormat.Pcm)]
    [InlineData(AudioFormat.Opus)]
    [InlineData(AudioFormat.Flac)]
    public async Task Audio_leaves_while_it_comes(AudioFormat format)
    {
        var stream = new MemoryStream();
        await using var encoder = AudioEncoder.Create(stream, 24_000, new AudioEncoderOptions { Format = format });
        long before = 0;
        for (var i = 0; i < 20; i++)
        {
            await encoder.WriteAsync(Sounds.Noise(4_800));
            Assert.True(stream.Length > before, $"piece {i} wrote nothing");
            before = stream.Length;
        }
        await encoder.CompleteAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await encoder.WriteAsync(new float[1]));
    }

    [Theory]
    [InlineData(24_000, 48_000)]
    [InlineData(24_000, 44_100)]
    [InlineData(24_000, 16_000)]
    [InlineData(24_000, 8_000)]
    [InlineData(22_050, 24_000)]
    [InlineData(24_000, 23_999)]
    public async Task Any_rate_keeps_a_tone(int from, int to)
    {
        var samples = Sounds.Tone(from, from, 1000);
        var bytes = await Sounds.Encode(samples, new AudioEncoderOptions { SampleRate = to, SampleFormat = PcmSampleFormat.Float32 }, from);
        var clip = AudioClip.FromWav(new MemoryStream(bytes));
        Assert.Equal((to, to), (clip.SampleRate, clip.Samples.Length));
        var expected = Sounds.Tone(to, to, 1000);
        Assert.True(Sounds.Snr(expected.AsSpan(100..^100), clip.Samples.Span[100..^100]) > 70);
    }

    [Fact]
    public async Task A_lower_rate_lets_nothing_fold_back()
    {
        var bytes = await Sounds.Encode(Sounds.Tone(24_000, frequency: 6_000),
            new AudioEncoderOptions { SampleRate = 8_000, SampleFormat = PcmSampleFormat.Float32 });
        Assert.All(AudioClip.FromWav(new MemoryStream(bytes)).Samples.ToArray()[100..^100], sample => Assert.InRange(sample, -0.001f, 0.001f));
    }

    [Theory]
    [InlineData(AudioFormat.Mp3)]
    [InlineData(AudioFormat.Aac)]
    public async Task Mp3_and_aac_come_from_ffmpeg_or_a_clear_error(AudioFormat format)
    {
        if (!AudioFormats.IsAvailable(format))
        {
            var error = Assert.Throws<NotSupportedException>(() =>
                AudioEncoder.Create(new MemoryStream(), 24_000, new AudioEncoderOptions { Format = format }));
            Assert.Contains("ffmpeg", error.Message, StringComparison.Ordinal);
            return;
        }
        var bytes = await Sounds.Encode(Sounds.Tone(48_000), new AudioEncoderOptions { Format = format });
        var clip = await AudioDecoder.DecodeAsync(new MemoryStream(bytes));
        Assert.InRange(clip.Duration.TotalSeconds, 1.9, 2.2);
        Assert.InRange(clip.Samples.ToArray().Max(), 0.4f, 0.6f);
    }

    [Fact]
    public async Task A_destination_that_fails_fails_the_encoder()
    {
        Assert.SkipUnless(AudioFormats.IsAvailable(AudioFormat.Mp3), "ffmpeg is not installed");
        await using var encoder = AudioEncoder.Create(new FailingStream(), 24_000, new AudioEncoderOptions { Format = AudioFormat.Mp3 });
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
                await encoder.WriteAsync(Sounds.Noise(24_000));
        });
    }

    [Theory]
    [InlineData("flac", "-s", "-t")]
    [InlineData("ffmpeg", "-v", "error", "-xerror", "-f", "null", "-", "-i")]
    [InlineData("opusdec", "--quiet")]
    public async Task Other_programs_read_it(string program, params string[] arguments)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder =>
            Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{program} is not installed");
        using var folder = new TempFolder();
        foreach (var format in program switch { "flac" => [AudioFormat.Flac], "opusdec" => [AudioFormat.Opus], _ =>
            new[] { AudioFormat.Flac, AudioFormat.Opus, AudioFormat.Wav } })
        {
            var file = Path.Combine(folder.Path, "audio." + format);
            await File.WriteAllBytesAsync(file, await Sounds.Encode(Sounds.Tone(100_001), new AudioEncoderOptions { Format = format }));
            string[] all = program == "ffmpeg" ? ["-v", "error", "-xerror", "-i", file, "-f", "null", "-"] : program == "opusdec"
                ? [.. arguments, file, file + ".wav"] : [.. arguments, file];
            using var process = Process.Start(new ProcessStartInfo(path!, all) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var error = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, error);
            if (program == "opusdec")
                Assert.Equal(100_001, AudioClip.FromWavFile(file + ".wav").Samples.Length);
        }
    }

    private sealed class ForwardStream : MemoryStream
    {
        public override bool CanSeek => false;
    }

    private sealed class FailingStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("the client is gone");
    }
}
