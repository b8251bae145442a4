using System.Buffers.Binary;

namespace LightTts.Tests.Audio;

/// <summary>What is written is read back; values are the reference's.</summary>
public sealed class WavRoundTripTests
{
    private static readonly float[] Samples = [.. Enumerable.Range(0, 10_001).Select(i => (float)(0.9 * Math.Sin(i * 0.05)))];

    [Fact]
    public void Float_round_trip_is_exact()
    {
        var wav = new AudioClip(Samples, 24_000).ToWav(WavSampleFormat.Float32);
        var back = AudioClip.FromWav(new MemoryStream(wav));
        Assert.Equal(24_000, back.SampleRate);
        Assert.Equal(Samples, back.Samples.ToArray());
        Assert.Equal(58 + Samples.Length * 4, wav.Length);
    }

    [Fact]
    public void Pcm16_round_trip_is_within_half_a_step()
    {
        var back = AudioClip.FromWav(new MemoryStream(new AudioClip(Samples, 24_000).ToWav()));
        Assert.All(Samples.Zip(back.Samples.ToArray()), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 0.5f / 32768));
        // 16-bit samples are fixed points of writing and reading.
        Assert.Equal(back.Samples.ToArray(), AudioClip.FromWav(new MemoryStream(back.ToWav())).Samples.ToArray());
    }

    [Fact]
    public void Pcm16_rounds_and_clips()
    {
        float[] samples = [0, 1, -1, 2, -2, 0.4f / 32768, 0.6f / 32768, -0.6f / 32768, float.NaN, float.PositiveInfinity];
        var wav = new AudioClip(samples, 8_000).ToWav();
        var pcm = Enumerable.Range(0, samples.Length).Select(i => BinaryPrimitives.ReadInt16LittleEndian(wav.AsSpan(44 + 2 * i)));
        Assert.Equal([0, 32767, -32768, 32767, -32768, 0, 1, -1, 0, 32767], pcm);
    }

    [Fact]
    public void Every_integer_width_has_the_same_scale()
    {
        byte[] tail8 = [0x00, 0x80, 0xC0], tail16 = [0x00, 0x80, 0, 0, 0x00, 0x40], tail24 = [0, 0, 0x80, 0, 0, 0, 0, 0, 0x40],
            tail32 = [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x40];
        foreach (var (bits, data) in new[] { (8, tail8), (16, tail16), (24, tail24), (32, tail32) })
            Assert.Equal([-1f, 0f, 0.5f], Read(new WavBuilder().Riff().Fmt(1, 1, 16_000, bits).Chunk("data", data)));
        Assert.Equal([0.25f, -0.5f],
            Read(new WavBuilder().Riff().Fmt(3, 1, 16_000, 64).Chunk("data", [.. BitConverter.GetBytes(0.25), .. BitConverter.GetBytes(-0.5)])));
    }

    [Fact]
    public void Channels_are_averaged()
    {
        Assert.Equal([0.5f, -0.25f], Read(new WavBuilder().Riff().Fmt(3, 2, 16_000, 32).Chunk("data", WavBuilder.Floats(1, 0, -0.75f, 0.25f))));
        Assert.Equal([2f], Read(new WavBuilder().Riff().Fmt(3, 3, 16_000, 32).Chunk("data", WavBuilder.Floats(1, 2, 3))));
    }

    [Fact]
    public void Writer_sets_the_sizes_where_it_can_seek_even_after_other_bytes()
    {
        var stream = new MemoryStream();
        stream.Write(new byte[10]);
        using (var writer = new WavWriter(stream, 16_000, leaveOpen: true))
        {
            writer.Write(Samples.AsSpan(0, 3_000));
            writer.Write([]);
            writer.Write(Samples.AsSpan(3_000));
            Assert.Equal(Samples.Length, writer.SamplesWritten);
        }
        Assert.Equal(stream.Length, stream.Position);
        Assert.Equal(new AudioClip(Samples, 16_000).ToWav(), stream.ToArray()[10..]);
        Assert.Equal((uint)(stream.Length - 10 - 8), BinaryPrimitives.ReadUInt32LittleEndian(stream.ToArray().AsSpan(14)));
    }

    [Theory]
    [InlineData(WavSampleFormat.Pcm16)]
    [InlineData(WavSampleFormat.Float32)]
    public async Task Writer_into_a_pipe_says_unknown_and_is_read_back(WavSampleFormat format)
    {
        var sink = new Sink();
        await using (var writer = new WavWriter(sink, 24_000, format))
            for (var i = 0; i < Samples.Length; i += 777)
                await writer.WriteAsync(Samples.AsMemory(i, Math.Min(777, Samples.Length - i)), TestContext.Current.CancellationToken);
        Assert.True(sink.Closed);
        var bytes = sink.Bytes.ToArray();
        Assert.Equal(uint.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)));
        var back = AudioClip.FromWav(new MemoryStream(bytes));
        Assert.Equal(AudioClip.FromWav(new MemoryStream(new AudioClip(Samples, 24_000).ToWav(format))).Samples.ToArray(), back.Samples.ToArray());
    }

    [Fact]
    public async Task Files_round_trip()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            new AudioClip(Samples, 22_050).SaveWav(path);
            var clip = AudioClip.FromWavFile(path);
            Assert.Equal((22_050, Samples.Length), (clip.SampleRate, clip.Samples.Length));
            Assert.Equal(clip.Samples.ToArray(),
                (await AudioClip.FromWavFileAsync(path, cancellationToken: TestContext.Current.CancellationToken)).Samples.ToArray());
        }
        finally
        {
            File.Delete(path);
        }
        Assert.Throws<FileNotFoundException>(() => AudioClip.FromWavFile(path));
    }

    [Fact]
    public void Writer_refuses_nonsense()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new WavWriter(new MemoryStream(), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WavWriter(new MemoryStream(), 8_000, (WavSampleFormat)9));
        Assert.Throws<ArgumentException>(() => new WavWriter(new MemoryStream([], writable: false), 8_000));
        var writer = new WavWriter(new MemoryStream(), 8_000);
        writer.Dispose();
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.Write([0f]));
    }

    private static float[] Read(WavBuilder wav) => AudioClip.FromWav(new MemoryStream(wav.ToArray())).Samples.ToArray();

    /// <summary>A write-only stream that cannot seek.</summary>
    private sealed class Sink : Stream
    {
        public MemoryStream Bytes { get; } = new();
        public bool Closed { get; private set; }
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => Bytes.Write(buffer, offset, count);

        protected override void Dispose(bool disposing)
        {
            Closed = true;
            base.Dispose(disposing);
        }
    }
}
