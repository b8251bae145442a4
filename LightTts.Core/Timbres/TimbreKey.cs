using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace LightTts.Timbres;

/// <summary>A SHA-256: the identity of a voice, of a name in the segment, or of the extractors.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TimbreKey(ulong A, ulong B, ulong C, ulong D)
{
    public const int Bytes = 32;

    /// <summary>The identity of a voice: over the decoded samples (not file bytes, so
    /// that a container's metadata does not matter), their rate, the transcript, the
    /// extractors and the tenant. Every part goes in with its length, so that no two different inputs feed the hash the same bytes.</summary>
    public static TimbreKey OfVoice(AudioClip reference, string? transcript, in TimbreKey owner)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("LightTts voice 1\n"u8);
        Append(hash, owner);
        Append(hash, reference.SampleRate);
        Append(hash, reference.Samples.Length);
        hash.AppendData(MemoryMarshal.AsBytes(reference.Samples.Span));
        AppendText(hash, transcript);
        return Finish(hash);
    }

    /// <summary>The identity of an imported voice: over what the file holds. It can never equal one that was made from audio.</summary>
    public static TimbreKey OfContent(ReadOnlySpan<byte> content, in TimbreKey owner)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("LightTts imported voice 1\n"u8);
        Append(hash, owner);
        hash.AppendData(content);
        return Finish(hash);
    }

    /// <summary>Where the segment keeps what a name stands for.</summary>
    public static TimbreKey OfName(string name)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("LightTts name 1\n"u8);
        AppendText(hash, name);
        return Finish(hash);
    }

    /// <summary>Whose voices these are: the extractors' and the tenant's.</summary>
    public static TimbreKey OfOwner(string extractorId, string? tenant)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("LightTts extractor 1\n"u8);
        AppendText(hash, extractorId);
        if (tenant is not null)
            AppendText(hash, tenant);
        return Finish(hash);
    }

    /// <summary>Reads the hexadecimal form.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimbreKey key)
    {
        key = default;
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length != 2 * Bytes || Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
            return false;
        key = MemoryMarshal.Read<TimbreKey>(bytes);
        return true;
    }

    public static TimbreKey Read(ReadOnlySpan<byte> source) => MemoryMarshal.Read<TimbreKey>(source);

    public void Write(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    public override int GetHashCode() => (int)A;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Write(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static TimbreKey Finish(IncrementalHash hash)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        hash.GetHashAndReset(bytes);
        return Read(bytes);
    }

    private static void Append(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, in TimbreKey key)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        key.Write(bytes);
        hash.AppendData(bytes);
    }

    private static void AppendText(IncrementalHash hash, string? text)
    {
        var bytes = text is null ? null : Encoding.UTF8.GetBytes(text);
        Append(hash, bytes?.Length ?? -1);
        hash.AppendData(bytes ?? []);
    }
}
