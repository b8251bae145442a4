using System.Buffers;
using System.Buffers.Binary;

namespace LightTts.Audio;

/// <summary>Reads WAV audio as mono floats. Trusts no header: a lie costs an error, never memory or time.</summary>
/// <remarks>
/// Reads RIFF/WAVE with integers of 8, 16, 24, 32 bits or floating point of 32, 64 bits, plain or WAVE_FORMAT_EXTENSIBLE, 1 to 255 channels
/// (averaged). Unknown chunks are skipped. Sizes that a streaming writer could not know (0xFFFFFFFF, 0x7FFFF000 and up, or 0 without room for more
/// chunks in the RIFF size) mean: up to the end of the stream.
/// </remarks>
internal static class WavReader
{
    /// <summary>Longest audio that is read where the caller sets no limit: the 30 s that the speech tokenizer takes, and some room, so that 30.01 s
    /// gets the better message.</summary>
    public static readonly TimeSpan DefaultMaxDuration = TimeSpan.FromSeconds(31);

    public const string Cure = "Convert it to 16-bit PCM WAV, for example: ffmpeg -i input -ac 1 -c:a pcm_s16le output.wav";

    private const int BufferBytes = 32 * 1024;
    private const int FirstSamples = 64 * 1024;
    private const int MaxChunks = 1_000;
    private const long MaxSkippedBytes = 16 << 20;
    private const uint UnknownSize = 0x7FFFF000; // what sox and espeak write into a pipe; ffmpeg writes 0xFFFFFFFF

    /// <summary>Reads from the stream's position.</summary>
    /// <exception cref="TtsAudioException">Not WAV, damaged, unsupported, empty, not finite, or longer than
    /// <paramref name="maxDuration"/>.</exception>
    public static AudioClip Read(Stream stream, TimeSpan maxDuration)
    {
        var task = ReadAsync(new BlockingSource(stream), stream, maxDuration, CancellationToken.None);
        return task.GetAwaiter().GetResult(); // complete: a blocking source never leaves anything pending
    }

    /// <inheritdoc cref="Read"/>
    public static ValueTask<AudioClip> ReadAsync(Stream stream, TimeSpan maxDuration, CancellationToken cancellationToken) =>
        ReadAsync(new AsyncSource(stream), stream, maxDuration, cancellationToken);

    private static async ValueTask<AudioClip> ReadAsync<TSource>(
        TSource source, Stream stream, TimeSpan maxDuration, CancellationToken cancellationToken)
        where TSource : struct, IByteSource
    {
        var length = stream.CanSeek ? stream.Length - stream.Position : (long?)null;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var read = await FillAsync(source, buffer.AsMemory(0, 12), cancellationToken).ConfigureAwait(false);
            var riffSize = CheckMagic(buffer.AsSpan(0, read));
            long position = 12;
            long skipped = 0;
            WavFormat? format = null;
            for (var chunk = 0; chunk < MaxChunks; chunk++)
            {
                read = await FillAsync(source, buffer.AsMemory(0, 8), cancellationToken).ConfigureAwait(false);
                if (read < 8)
                    throw new TtsAudioException($"The WAV file ends before its samples: there is no data chunk. The file is incomplete; export or "
                        + $"upload it again. {Cure}");
                position += 8;
                var id = BinaryPrimitives.ReadUInt32BigEndian(buffer);
                var size = BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(4));
                if (id == Id("data"))
                {
                    if (format is not { } known)
                        throw new TtsAudioException($"The WAV file's data chunk comes before its format chunk. {Cure}");
                    // A writer that could not seek back leaves 0 in both sizes, or only its header's length in the RIFF size.
                    var open = size >= UnknownSize || (size == 0 && (riffSize is 0 or >= UnknownSize || riffSize + 8L <= position));
                    return await ReadDataAsync(source, known, open ? null : size, length - position, maxDuration, buffer, cancellationToken)
                        .ConfigureAwait(false);
                }

                var padded = size + (size & 1L);
                if (length - position < size)
                    throw new TtsAudioException($"The WAV header says that chunk '{Name(id)}' has {size} bytes, but only {length - position} follow. "
                        + "The file is damaged or incomplete; export or upload it again.");
                position += padded;
                if (id == Id("fmt "))
                {
                    var take = (int)Math.Min(size, 40);
                    read = await FillAsync(source, buffer.AsMemory(0, take), cancellationToken).ConfigureAwait(false);
                    format = WavFormat.Parse(buffer.AsSpan(0, read));
                    padded -= take;
                }
                if (length is not null)
                    stream.Seek(padded, SeekOrigin.Current);
                else if ((skipped += padded) > MaxSkippedBytes)
                    throw new TtsAudioException($"The WAV file has more than {MaxSkippedBytes >> 20} MiB of other data before its samples. {Cure}");
                else
                    await SkipAsync(source, padded, buffer, cancellationToken).ConfigureAwait(false);
            }
            throw new TtsAudioException($"The WAV file has more than {MaxChunks} chunks before its samples. {Cure}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask<AudioClip> ReadDataAsync<TSource>(
        TSource source, WavFormat format, uint? size, long? available, TimeSpan maxDuration, byte[] buffer, CancellationToken cancellationToken)
        where TSource : struct, IByteSource
    {
        var maxFrames = (long)Math.Min(maxDuration.TotalSeconds * format.SampleRate, Array.MaxLength);
        var declared = size / format.BlockAlign;
        if (declared > maxFrames)
            throw TooLong((double)declared.Value / format.SampleRate, maxDuration);
        if (declared * format.BlockAlign > available)
            throw Truncated(size!.Value, available.Value);

        // Only a declared size that the stream is known to hold is believed when memory is taken.
        var samples = new float[declared is { } all && available is not null ? all : Math.Min(FirstSamples, maxFrames)];
        var frames = 0;
        var framesAtOnce = buffer.Length / format.BlockAlign;
        while (declared is null || frames < declared)
        {
            var want = (int)Math.Min(framesAtOnce, (declared ?? long.MaxValue) - frames) * format.BlockAlign;
            var read = await FillAsync(source, buffer.AsMemory(0, want), cancellationToken).ConfigureAwait(false);
            var got = read / format.BlockAlign;
            if (frames + got > maxFrames)
                throw TooLong(null, maxDuration);
            if (frames + got > samples.Length)
                Array.Resize(ref samples, (int)Math.Min(Math.Max(samples.Length * 2L, frames + got), maxFrames));
            if (!WavSamples.Decode(format, buffer.AsSpan(0, got * format.BlockAlign), samples.AsSpan(frames, got)))
                throw new TtsAudioException("The WAV file holds samples that are not numbers (NaN) or infinite. Export it again, or convert it: "
                    + "ffmpeg -i input -ac 1 -c:a pcm_s16le output.wav");
            frames += got;
            if (read < want)
                break;
        }
        if (frames < declared)
            throw Truncated(size!.Value, (long)frames * format.BlockAlign);
        if (frames == 0)
            throw new TtsAudioException("The WAV file holds no samples. Record or export it again.");
        return new AudioClip(samples.AsMemory(0, frames), format.SampleRate);
    }

    private static uint CheckMagic(ReadOnlySpan<byte> head)
    {
        if (head.IsEmpty)
            throw new TtsAudioException("The audio is empty (0 bytes). Upload or export it again.");
        var found = head.Length < 4 ? "something else" : head switch
        {
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => null,
            [(byte)'R', (byte)'I', (byte)'F', (byte)'X', ..] => "a big-endian WAV file (RIFX)",
            [(byte)'R', (byte)'F', (byte)'6', (byte)'4', ..] or [(byte)'B', (byte)'W', (byte)'6', (byte)'4', ..] => "a 64-bit WAV file (RF64)",
            [(byte)'I', (byte)'D', (byte)'3', ..] or [0xFF, >= 0xE0, ..] => "an MP3 file",
            [(byte)'f', (byte)'L', (byte)'a', (byte)'C', ..] => "a FLAC file",
            [(byte)'O', (byte)'g', (byte)'g', (byte)'S', ..] => "an Ogg file",
            [(byte)'F', (byte)'O', (byte)'R', (byte)'M', ..] => "an AIFF file",
            [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "an MP4/M4A file",
            _ => "something else",
        };
        if (found is not null)
            throw new TtsAudioException($"A RIFF WAV file is needed, but this is {found}. {Cure}");
        if (head.Length < 12 || !head[8..].SequenceEqual("WAVE"u8))
            throw new TtsAudioException($"The file starts as RIFF but is not WAVE audio, or ends within its header. {Cure}");
        return BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
    }

    private static async ValueTask<int> FillAsync<TSource>(TSource source, Memory<byte> buffer, CancellationToken cancellationToken)
        where TSource : struct, IByteSource
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = await source.ReadAsync(buffer[total..], cancellationToken).ConfigureAwait(false);
            if (read <= 0)
                break;
            total += read;
        }
        return total;
    }

    private static async ValueTask SkipAsync<TSource>(TSource source, long count, byte[] buffer, CancellationToken cancellationToken)
        where TSource : struct, IByteSource
    {
        while (count > 0)
        {
            var want = (int)Math.Min(count, buffer.Length);
            if (await FillAsync(source, buffer.AsMemory(0, want), cancellationToken).ConfigureAwait(false) < want)
                return; // the next chunk header will be missing, and the error speaks of that
            count -= want;
        }
    }

    private static TtsAudioException TooLong(double? seconds, TimeSpan maxDuration) =>
        new($"The audio is {(seconds is { } known ? $"{known:0.##} s long" : "longer than the limit")}; at most {maxDuration.TotalSeconds:0.##} s "
            + "are read. "
            + "Cut it to the best 3 to 30 s of speech (or pass a larger maxDuration, where it is not for a voice).");

    private static TtsAudioException Truncated(long declared, long found) =>
        new($"The WAV header says {declared} bytes of samples, but only {found} are there. The file is damaged or incomplete; export or upload it "
            + "again.");

    private static uint Id(string name) => BinaryPrimitives.ReadUInt32BigEndian([(byte)name[0], (byte)name[1], (byte)name[2], (byte)name[3]]);

    private static string Name(uint id) => string.Create(4, id, static (span, value) =>
    {
        for (var i = 0; i < 4; i++)
            span[i] = (value >> (24 - 8 * i) & 0xFF) is >= 0x20 and < 0x7F and var c ? (char)c : '?';
    });
}
