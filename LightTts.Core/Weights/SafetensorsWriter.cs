using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace LightTts.Weights;

/// <summary>Writes a safetensors file. What it is given must stay where it is until the file is written.</summary>
internal sealed unsafe class SafetensorsWriter
{
    private const int Alignment = 64;
    private const int WrittenAtOnce = 16 << 20;

    private readonly List<(string Name, ElementType Type, long[] Shape, long Bytes, Action<Stream> Write)> _tensors = [];

    /// <summary>A tensor in memory.</summary>
    public void Add(string name, ElementType type, long[] shape, byte* data)
    {
        var bytes = shape.Aggregate((long)TensorEntry.ElementSize(type), (a, b) => checked(a * b));
        _tensors.Add((name, type, shape, bytes, stream => Write(stream, data, bytes)));
    }

    /// <summary>A tensor of another file, as it is.</summary>
    public void Add(string name, TensorEntry entry) => _tensors.Add((name, entry.Type, [.. entry.Shape], entry.ByteLength, stream =>
    {
        var copy = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, entry.ByteLength));
        try
        {
            entry.CopyTo(copy);
            Write(stream, copy, entry.ByteLength);
        }
        finally
        {
            NativeMemory.Free(copy);
        }
    }));

    /// <summary>Writes the file; wide numbers first, so that all of them are aligned.</summary>
    public void WriteTo(string path, CancellationToken cancellationToken)
    {
        var tensors = _tensors.OrderByDescending(tensor => TensorEntry.ElementSize(tensor.Type)).ToList();
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            var at = 0L;
            foreach (var (name, type, shape, bytes, _) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", Dtype(type));
                json.WriteStartArray("shape");
                foreach (var size in shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // The format allows blanks behind the header.
        while ((8 + header.Length) % Alignment != 0)
            header.WriteByte((byte)' ');
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header.GetBuffer().AsSpan(0, (int)header.Length));
        foreach (var tensor in tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tensor.Write(file);
        }
        file.Flush(flushToDisk: true);
    }

    private static void Write(Stream stream, byte* data, long bytes)
    {
        for (var at = 0L; at < bytes; at += WrittenAtOnce)
            stream.Write(new ReadOnlySpan<byte>(data + at, (int)Math.Min(WrittenAtOnce, bytes - at)));
    }

    private static string Dtype(ElementType type) => type switch
    {
        ElementType.Float32 => "F32",
        ElementType.Float16 => "F16",
        ElementType.BFloat16 => "BF16",
        ElementType.Float8E4M3 => "F8_E4M3",
        ElementType.Float8E5M2 => "F8_E5M2",
        ElementType.Float64 => "F64",
        ElementType.Int8 => "I8",
        ElementType.UInt8 => "U8",
        ElementType.Int16 => "I16",
        ElementType.Int32 => "I32",
        ElementType.Int64 => "I64",
        _ => "BOOL",
    };
}
