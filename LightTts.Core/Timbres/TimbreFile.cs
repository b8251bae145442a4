using System.Buffers.Binary;

namespace LightTts.Timbres;

/// <summary>A voice as one <c>.timbre</c> file: a signature of 8 bytes, the length, the voice.</summary>
internal static class TimbreFile
{
    // As in PNG: a byte that is not text and a line end that text transfers would change.
    private static ReadOnlySpan<byte> Signature => [0x8C, (byte)'T', (byte)'I', (byte)'M', (byte)'B', (byte)'R', 0x0D, 0x0A];

    /// <summary>The longest file.</summary>
    public const int MaxBytes = 12 + TimbreCodec.MaxBytes;

    public static void Write(Stream destination, TimbreRecord record, in TimbreKey extractor, string? name)
    {
        var body = TimbreCodec.Encode(record, extractor, name);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
        destination.Write(Signature);
        destination.Write(length);
        destination.Write(body);
    }

    /// <inheritdoc cref="Read"/>
    public static async ValueTask<(TimbreRecord Record, string? Name)> ReadAsync(Stream source, TimbreKey extractor, TimbreShape? shape,
        CancellationToken cancellationToken)
    {
        // Grows with what really arrives, and one byte further than a voice can be.
        using var whole = new MemoryStream();
        var block = new byte[1 << 14];
        while (whole.Length <= MaxBytes && await source.ReadAsync(block, cancellationToken).ConfigureAwait(false) is var read and > 0)
            whole.Write(block, 0, read);
        whole.Position = 0;
        return Read(whole, extractor, shape);
    }

    /// <exception cref="TtsTimbreException">It is not a voice that can be used.</exception>
    public static (TimbreRecord Record, string? Name) Read(Stream source, in TimbreKey extractor, TimbreShape? shape)
    {
        Span<byte> head = stackalloc byte[12];
        if (source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head[..8].SequenceEqual(Signature))
            throw Unusable("it is not a .timbre file");
        var length = BinaryPrimitives.ReadInt32LittleEndian(head[8..]);
        if (length is < 0 or > TimbreCodec.MaxBytes)
            throw Unusable("the length it states is not possible");
        // The buffer grows with what really arrives: a length that lies allocates nothing.
        using var body = new MemoryStream();
        var block = new byte[Math.Min(length, 1 << 16)];
        while (body.Length < length)
        {
            var read = source.Read(block, 0, (int)Math.Min(block.Length, length - body.Length));
            if (read == 0)
                throw Unusable("it ends too early");
            body.Write(block, 0, read);
        }
        if (source.Read(block.AsSpan(0, Math.Min(1, block.Length))) > 0)
            throw Unusable("something follows the voice");
        if (!TimbreCodec.TryDecode(body.GetBuffer().AsSpan(0, length), extractor, shape, out var record, out var name, out var fault))
            throw Unusable(fault);
        if (name is not null && !TimbreName.IsValid(name))
            throw Unusable("the name in it cannot be used");
        return (record, name);
    }

    private static TtsTimbreException Unusable(string why) => new($"The .timbre file cannot be used: {why}.");
}
