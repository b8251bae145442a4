using System.Buffers;

namespace LightTts.Extensions.Formats;

/// <summary>Turns samples into a format's bytes, without I/O.</summary>
internal interface IAudioCodec
{
    /// <summary>Takes samples and appends the bytes that they complete.</summary>
    void Encode(ReadOnlySpan<float> samples, IBufferWriter<byte> output);

    /// <summary>Appends what is left and the format's end.</summary>
    void Finish(IBufferWriter<byte> output);

    /// <summary>The bytes at the start as they are now that the length is known, or null where they do not depend on it.</summary>
    ReadOnlyMemory<byte>? FinalHeader { get; }
}
