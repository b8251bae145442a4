namespace LightTts.Tests.Audio;

/// <summary>Hand-made WAV files: each poisoned one gives the right error with a cure and
/// next to no memory, each odd but valid one its samples; from memory, a blocking pipe, an
/// asynchronous pipe alike.</summary>
public sealed class WavFaultTests
{
    private static readonly byte[] Some = WavBuilder.Sine(100);

    private static WavBuilder Start(string magic = "RIFF", uint? size = null) => new WavBuilder().Riff(magic, size);

    private static WavBuilder Mono => Start().Fmt(1, 1, 16_000, 16);

    /// <summary>name -> (file, what its error says).</summary>
    private static readonly Dictionary<string, (byte[] File, string Says)> Poisoned = new()
    {
        ["0 bytes"] = ([], "0 bytes"),
        ["1 byte"] = ([(byte)'R'], "RIFF"),
        ["11 bytes"] = (WavBuilder.Pcm16()[..11], "within its header"),
        ["RIFF header only"] = (Start().ToArray(), "no data chunk"),
        ["header up to fmt"] = (Mono.ToArray(), "no data chunk"),
        ["cut within fmt"] = (WavBuilder.Pcm16()[..28], "chunk"),
        ["cut within the data header"] = (WavBuilder.Pcm16()[..41], "no data chunk"),
        ["header and empty data"] = (Start(size: 36).Fmt(1, 1, 16_000, 16).Chunk("data", []).ToArray(), "no samples"),
        ["empty data, then more chunks"] = (Start().Fmt(1, 1, 16_000, 16).Chunk("data", []).Chunk("LIST", new byte[20]).ToArray(), "no samples"),
        ["less than one frame"] = (Start().Fmt(1, 2, 16_000, 16).Chunk("data", [1, 2, 3]).ToArray(), "no samples"),
        ["truncated data"] = (Mono.Chunk("data", Some, size: 2_000).ToArray(), "only 200 are there"),
        ["data one byte short"] = (Mono.Chunk("data", Some[..^1], pad: false, size: 200).ToArray(), "are there"),
        ["unknown size and nothing"] = (Mono.Chunk("data", [], size: uint.MaxValue).ToArray(), "no samples"),
        ["lying LIST size"] = (Mono.Chunk("LIST", new byte[8], size: 0x7FFFFFF0).Chunk("data", Some).ToArray(), ""),
        ["RIFX"] = (Start("RIFX").Fmt(1, 1, 16_000, 16).Chunk("data", Some).ToArray(), "big-endian"),
        ["RF64"] = (Start("RF64").Fmt(1, 1, 16_000, 16).Chunk("data", Some).ToArray(), "64-bit"),
        ["RIFF but AVI"] = (new WavBuilder().Riff(form: "AVI ").Fmt(1, 1, 16_000, 16).Chunk("data", Some).ToArray(), "not WAVE"),
        ["MP3 with ID3"] = (new WavBuilder().Ascii("ID3").Raw(new byte[100]).ToArray(), "MP3"),
        ["MP3 frame"] = ([0xFF, 0xFB, 0x90, 0x64, .. new byte[100]], "MP3"),
        ["Ogg"] = (new WavBuilder().Ascii("OggS").Raw(new byte[100]).ToArray(), "Ogg"),
        ["FLAC"] = (new WavBuilder().Ascii("fLaC").Raw(new byte[100]).ToArray(), "FLAC"),
        ["M4A"] = (new WavBuilder().Raw([0, 0, 0, 32]).Ascii("ftypM4A ").Raw(new byte[100]).ToArray(), "MP4"),
        ["zeros"] = (new byte[1000], "something else"),
        ["text"] = (new WavBuilder().Ascii("<!doctype html><html>").ToArray(), "something else"),
        ["0 channels"] = (Start().Fmt(1, 0, 16_000, 16).Chunk("data", Some).ToArray(), "0 channels"),
        ["256 channels"] = (Start().Fmt(1, 256, 16_000, 16).Chunk("data", Some).ToArray(), "256 channels"),
        ["65535 channels"] = (Start().Fmt(1, 65_535, 16_000, 16, blockAlign: 65_534).Chunk("data", Some).ToArray(), "65535 channels"),
        ["0 Hz"] = (Start().Fmt(1, 1, 0, 16).Chunk("data", Some).ToArray(), "0 Hz"),
        ["2^31 Hz"] = (Start().Fmt(1, 1, 1u << 31, 16).Chunk("data", Some).ToArray(), "2147483648 Hz"),
        ["2^32-1 Hz"] = (Start().Fmt(1, 1, uint.MaxValue, 16).Chunk("data", Some).ToArray(), "Hz"),
        ["7 bits"] = (Start().Fmt(1, 1, 16_000, 7, blockAlign: 1).Chunk("data", Some).ToArray(), "7 bits"),
        ["12 bits"] = (Start().Fmt(1, 1, 16_000, 12, blockAlign: 2).Chunk("data", Some).ToArray(), "12 bits"),
        ["0 bits"] = (Start().Fmt(1, 1, 16_000, 0).Chunk("data", Some).ToArray(), "0 bits"),
        ["64-bit integers"] = (Start().Fmt(1, 1, 16_000, 64).Chunk("data", Some).ToArray(), "64 bits"),
        ["16-bit floats"] = (Start().Fmt(3, 1, 16_000, 16).Chunk("data", Some).ToArray(), "16 bits"),
        ["block align 0"] = (Start().Fmt(1, 1, 16_000, 16, blockAlign: 0).Chunk("data", Some).ToArray(), "block align 0"),
        ["block align too large"] = (Start().Fmt(1, 1, 16_000, 16, blockAlign: 65_535).Chunk("data", Some).ToArray(), "block align 65535"),
        ["format tag 0"] = (Start().Fmt(0, 1, 16_000, 16).Chunk("data", Some).ToArray(), "0x0000"),
        ["ADPCM"] = (Start().Fmt(2, 1, 16_000, 4, blockAlign: 256).Chunk("data", Some).ToArray(), "ADPCM"),
        ["mu-law"] = (Start().Fmt(7, 1, 16_000, 8).Chunk("data", Some).ToArray(), "mu-law"),
        ["MP3 in WAV"] = (Start().Fmt(0x55, 1, 16_000, 0, blockAlign: 1).Chunk("data", Some).ToArray(), "MP3"),
        ["extensible without its extension"] = (Start().Fmt(0xFFFE, 1, 16_000, 16).Chunk("data", Some).ToArray(), "EXTENSIBLE"),
        ["extensible of a vendor"] = (Start().Extensible(1, 1, 16_000, 16, tail: new byte[14]).Chunk("data", Some).ToArray(), "vendor"),
        ["extensible ADPCM"] = (Start().Extensible(2, 1, 16_000, 16).Chunk("data", Some).ToArray(), "ADPCM"),
        ["fmt of 4 bytes"] = (Start().Chunk("fmt ", [1, 0, 1, 0]).Chunk("data", Some).ToArray(), "4 bytes"),
        ["data before fmt"] = (Start().Chunk("data", Some).Fmt(1, 1, 16_000, 16).ToArray(), "before its format"),
        ["no fmt"] = (Start().Chunk("LIST", new byte[8]).Chunk("data", Some).ToArray(), "before its format"),
        ["2,000 empty chunks"] = (Many(2_000), "chunks"),
        ["NaN"] = (Float(0.1f, float.NaN, 0.1f), "NaN"),
        ["+infinity"] = (Float(float.PositiveInfinity), "infinite"),
        ["-infinity"] = (Float(0.5f, float.NegativeInfinity), "infinite"),
        ["NaN in one of two channels"] = (Start().Fmt(3, 2, 16_000, 32).Chunk("data", WavBuilder.Floats(0.1f, float.NaN)).ToArray(), "NaN"),
        ["double beyond float"] = (Start().Fmt(3, 1, 16_000, 64).Chunk("data", BitConverter.GetBytes(1e300)).ToArray(), "infinite"),
        ["10 hours by its header"] = (Mono.Chunk("data", Some, size: 16_000u * 2 * 36_000).ToArray(), "36000 s"),
        ["32 s"] = (WavBuilder.Pcm16(16_000 * 32), "32 s"),
        ["32 s, unknown size"] = (Mono.Chunk("data", WavBuilder.Sine(16_000 * 32), size: uint.MaxValue).ToArray(), "longer than the limit"),
    };

    /// <summary>name -> (file, frames).</summary>
    private static readonly Dictionary<string, (byte[] File, int Frames)> Valid = new()
    {
        ["plain"] = (WavBuilder.Pcm16(100), 100),
        ["one sample"] = (WavBuilder.Pcm16(1), 1),
        ["31 s"] = (WavBuilder.Pcm16(16_000 * 31), 16_000 * 31),
        ["255 channels"] = (WavBuilder.Pcm16(10, channels: 255), 10),
        ["8 kHz"] = (WavBuilder.Pcm16(100, rate: 8_000), 100),
        ["384 kHz"] = (WavBuilder.Pcm16(100, rate: 384_000), 100),
        ["8 bits, odd length with pad"] = (Start().Fmt(1, 1, 16_000, 8).Chunk("data", new byte[101]).ToArray(), 101),
        ["8 bits, odd length without pad"] = (Start().Fmt(1, 1, 16_000, 8).Chunk("data", new byte[101], pad: false).ToArray(), 101),
        ["24 bits"] = (Start().Fmt(1, 1, 16_000, 24).Chunk("data", new byte[300]).ToArray(), 100),
        ["a partial frame at the end"] = (Start().Fmt(1, 2, 16_000, 16).Chunk("data", WavBuilder.Sine(51)).ToArray(), 25),
        ["odd LIST before data"] = (Mono.Chunk("LIST", new byte[7]).Chunk("data", Some).ToArray(), 100),
        ["LIST after data"] = (Mono.Chunk("data", Some).Chunk("LIST", new byte[30]).ToArray(), 100),
        ["fact, bext, junk"] =
        (Mono.Chunk("fact", new byte[4]).Chunk("bext", new byte[602]).Chunk("JUNK", new byte[4_000]).Chunk("data", Some).ToArray(), 100),
        ["large chunk before data"] = (Mono.Chunk("id3 ", new byte[200_001]).Chunk("data", Some).ToArray(), 100),
        ["fmt of 18 bytes"] = (Start().Fmt(1, 1, 16_000, 16, size: 18).U16(0).Chunk("data", Some).ToArray(), 100),
        ["extensible PCM"] = (Start().Extensible(1, 1, 16_000, 16).Chunk("data", Some).ToArray(), 100),
        ["extensible float"] = (Start().Extensible(3, 1, 16_000, 32).Chunk("data", WavBuilder.Floats(new float[50])).ToArray(), 50),
        ["wrong RIFF size"] = (Start(size: 7).Fmt(1, 1, 16_000, 16).Chunk("data", Some).ToArray(), 100),
        ["streamed: 0xFFFFFFFF"] = (Start(size: uint.MaxValue).Fmt(1, 1, 16_000, 16).Chunk("data", Some, size: uint.MaxValue).ToArray(), 100),
        ["streamed: sox"] = (Start(size: 0x7FFFF024).Fmt(1, 1, 16_000, 16).Chunk("data", Some, size: 0x7FFFF000).ToArray(), 100),
        ["streamed: zeros"] = (Start(size: 0).Fmt(1, 1, 16_000, 16).Chunk("data", Some, size: 0).ToArray(), 100),
        ["streamed: zero data, RIFF of the header"] = (Start(size: 36).Fmt(1, 1, 16_000, 16).Chunk("data", Some, size: 0).ToArray(), 100),
        ["streamed with a partial frame"] = (Mono.Chunk("data", Some[..^1], size: uint.MaxValue, pad: false).ToArray(), 99),
        ["denormals"] = (Float(1e-42f, -1e-45f), 2),
        ["over full scale"] = (Float(1.5f, -2f), 2),
        ["1e30"] = (Float(1e30f, -1e30f), 2),
    };

    public static TheoryData<string> PoisonedNames => [.. Poisoned.Keys];

    /// <summary>Without those that hold 32 s of real audio, which takes more than the bound by itself.</summary>
    public static TheoryData<string> SmallPoisonedNames => [.. Poisoned.Where(p => p.Value.File.Length < 1 << 19).Select(p => p.Key)];

    public static TheoryData<string> ValidNames => [.. Valid.Keys];

    [Theory, MemberData(nameof(PoisonedNames))]
    public async Task Poison_is_refused_with_a_cure(string name)
    {
        var (file, says) = Poisoned[name];
        foreach (var error in new[]
        {
            Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(new MemoryStream(file))),
            Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(new Pipe(file))),
            await Assert.ThrowsAsync<TtsAudioException>(() => AudioClip.FromWavAsync(new Pipe(file, blocking: false))),
        })
        {
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
            Assert.True(new[] { "Convert", "ffmpeg", "again", "Cut" }.Any(error.Message.Contains), $"no cure: {error.Message}");
        }
    }

    [Theory, MemberData(nameof(SmallPoisonedNames))]
    public void Poison_costs_no_memory(string name)
    {
        var (file, _) = Poisoned[name];
        Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(new Pipe(file))); // once for everything that is made once
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(new Pipe(file)));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= 1 << 20, $"{allocated} bytes");
    }

    [Theory, MemberData(nameof(ValidNames))]
    public async Task Odd_but_valid_files_are_read(string name)
    {
        var (file, frames) = Valid[name];
        var clip = AudioClip.FromWav(new MemoryStream(file));
        Assert.Equal(frames, clip.Samples.Length);
        Assert.Equal(clip.Samples.ToArray(), AudioClip.FromWav(new Pipe(file)).Samples.ToArray());
        Assert.Equal(clip.Samples.ToArray(), (await AudioClip.FromWavAsync(new Pipe(file, blocking: false))).Samples.ToArray());
    }

    [Fact]
    public void Ten_hours_in_a_sparse_file_are_refused_by_the_header()
    {
        var head = Mono.Chunk("data", [], size: 16_000u * 2 * 36_000).ToArray();
        var stream = new CountingStream(head, head.Length + 16_000L * 2 * 36_000);
        Assert.Contains("36000 s", Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(stream)).Message, StringComparison.Ordinal);
        Assert.Equal(head.Length, stream.BytesRead);
    }

    [Fact]
    public void Endless_streams_are_refused_at_the_limit()
    {
        var head = Mono.Chunk("data", [], size: uint.MaxValue).ToArray();
        var stream = new CountingStream(head, long.MaxValue) { Seekable = false };
        Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(stream));
        Assert.InRange(stream.BytesRead, 16_000 * 2 * 31, 16_000 * 2 * 31 + 70_000);

        var junk = new CountingStream(Mono.Chunk("JUNK", [], size: 0xFFFFFFF0).ToArray(), long.MaxValue) { Seekable = false };
        Assert.Contains("other data", Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(junk)).Message, StringComparison.Ordinal);
        Assert.InRange(junk.BytesRead, 0, 20 << 20);
    }

    [Fact]
    public void Limit_is_the_callers_choice()
    {
        var file = WavBuilder.Pcm16(16_000 * 40);
        Assert.Equal(16_000 * 40, AudioClip.FromWav(new MemoryStream(file), TimeSpan.FromMinutes(1)).Samples.Length);
        Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(new MemoryStream(file), TimeSpan.FromSeconds(39.9)));
        Assert.Equal(16_000 * 40, AudioClip.FromWav(new MemoryStream(file), TimeSpan.MaxValue).Samples.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => AudioClip.FromWav(new MemoryStream(file), TimeSpan.Zero));
    }

    [Fact]
    public async Task Same_poison_from_many_threads_gives_equal_answers()
    {
        var file = Start(size: 36).Fmt(1, 1, 16_000, 16).Chunk("data", []).ToArray();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() =>
            Assert.Throws<TtsAudioException>(() => AudioClip.FromWav(new MemoryStream(file))).Message)));
        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task Cancellation_ends_an_asynchronous_read()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            AudioClip.FromWavAsync(new MemoryStream(WavBuilder.Pcm16()), cancellationToken: cancelled));
    }

    private static byte[] Float(params float[] samples) => Start().Fmt(3, 1, 16_000, 32).Chunk("data", WavBuilder.Floats(samples)).ToArray();

    private static byte[] Many(int chunks)
    {
        var wav = Mono;
        for (var i = 0; i < chunks; i++)
            wav.Chunk("JUNK", []);
        return wav.Chunk("data", Some).ToArray();
    }
}
