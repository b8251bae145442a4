using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using LightTts.Weights;

namespace LightTts.Tests.Support;

/// <summary>A tensor to write. <paramref name="Data"/> null leaves a hole of zeros in a
/// sparse file; <paramref name="SharesWith"/> names an earlier tensor
/// whose storage this one looks into, at <paramref name="Offset"/> elements.</summary>
internal sealed record TorchTensor(string Key, long[] Shape, ElementType Type, byte[]? Data = null, string? SharesWith = null, long Offset = 0,
    long[]? Strides = null);

/// <summary>Writes files in torch.save's zip format: protocol 2 pickle, entries stored
/// and aligned to 64 bytes, zip64 where sizes or offsets need it.</summary>
internal static class TorchZipWriter
{
    /// <summary>Writes a state dict.</summary>
    public static void Write(string path, IEnumerable<TorchTensor> tensors, string prefix = "archive")
    {
        var list = tensors.ToList();
        var pickle = new PickleWriter();
        var storages = new Dictionary<string, (string Id, long Elements)>();
        pickle.BeginDict();
        foreach (var tensor in list)
        {
            if (tensor.SharesWith is null)
                storages[tensor.Key] = (storages.Count.ToString(), tensor.Data?.Length / TensorEntry.ElementSize(tensor.Type)
                ?? tensor.Shape.Aggregate(1L, (a, b) => a * b));
            var (id, elements) = storages[tensor.SharesWith ?? tensor.Key];
            pickle.Text(tensor.Key).Tensor(id, tensor.Type, elements, tensor.Offset, tensor.Shape, tensor.Strides);
        }
        pickle.EndDict();
        var entries = new List<ZipPart> { new($"{prefix}/data.pkl", pickle.ToArray()), new($"{prefix}/byteorder", "little"u8.ToArray()) };
        foreach (var tensor in list.Where(t => t.SharesWith is null))
            entries.Add(new ZipPart($"{prefix}/data/{storages[tensor.Key].Id}", tensor.Data,
            storages[tensor.Key].Elements * TensorEntry.ElementSize(tensor.Type)));
        entries.Add(new ZipPart($"{prefix}/version", "3\n"u8.ToArray()));
        WriteZip(path, entries);
    }

    /// <summary>Writes a checkpoint with a given pickle and storages named 0, 1, 2...</summary>
    public static void WritePickle(string path, byte[] pickle, params byte[][] storages) =>
        WriteZip(path, [new ZipPart("archive/data.pkl", pickle), .. storages.Select((data, i) => new ZipPart($"archive/data/{i}", data)),
        new ZipPart("archive/version", "3\n"u8.ToArray())]);

    /// <summary>Writes a zip file of stored entries.</summary>
    public static void WriteZip(string path, IReadOnlyList<ZipPart> parts)
    {
        File.Delete(path);
        using var file = File.Create(path);
        using var writer = new BinaryWriter(file, Encoding.UTF8);
        var directory = new MemoryStream();
        var central = new BinaryWriter(directory);
        foreach (var part in parts)
        {
            var name = Encoding.UTF8.GetBytes(part.Name);
            var length = part.Data?.LongLength ?? part.Length;
            var checksum = part.Data is null ? 0u : Crc32.HashToUInt32(part.Data);
            bool large = length >= uint.MaxValue, far = file.Position >= uint.MaxValue;
            var at = file.Position;
            var zip64 = large ? 20 : 0;
            var padding = (int)((64 - (at + 30 + name.Length + zip64 + 4) % 64) % 64) + 4;
            writer.Write(0x04034b50u);
            WriteCommon(writer, checksum, large ? uint.MaxValue : (uint)length, name.Length, zip64 + padding);
            writer.Write(name);
            if (large)
                WriteZip64(writer, length, length);
            writer.Write((ushort)0x4246);
            writer.Write((ushort)(padding - 4));
            writer.Write(new byte[padding - 4]);
            if (part.Data is not null)
                writer.Write(part.Data);
            else
            {
                writer.Flush();
                file.SetLength(file.Position + length);
                file.Position += length;
            }
            long[] wide = [.. large ? new[] { length, length } : [], .. far ? new[] { at } : []];
            central.Write(0x02014b50u);
            central.Write((ushort)45);
            WriteCommon(central, checksum, large ? uint.MaxValue : (uint)length, name.Length, wide.Length == 0 ? 0 : 4 + 8 * wide.Length);
            central.Write(new byte[10]);
            central.Write(far ? uint.MaxValue : (uint)at);
            central.Write(name);
            if (wide.Length > 0)
                WriteZip64(central, wide);
        }
        WriteEnd(writer, file.Position, directory.ToArray(), parts.Count);
    }

    private static void WriteCommon(BinaryWriter writer, uint checksum, uint length, int name, int extra)
    {
        writer.Write((ushort)45);
        writer.Write((ushort)0x0800);
        writer.Write(new byte[6]);
        writer.Write(checksum);
        writer.Write(length);
        writer.Write(length);
        writer.Write((ushort)name);
        writer.Write((ushort)extra);
    }

    private static void WriteZip64(BinaryWriter writer, params long[] values)
    {
        writer.Write((ushort)1);
        writer.Write((ushort)(8 * values.Length));
        foreach (var value in values)
            writer.Write(value);
    }

    private static void WriteEnd(BinaryWriter writer, long start, byte[] directory, int count)
    {
        writer.Write(directory);
        var zip64 = start >= uint.MaxValue || count >= 0xFFFF;
        if (zip64)
        {
            writer.Write(0x06064b50u);
            writer.Write(44L);
            writer.Write((ushort)45);
            writer.Write((ushort)45);
            writer.Write(0L);
            writer.Write((long)count);
            writer.Write((long)count);
            writer.Write((long)directory.Length);
            writer.Write(start);
            writer.Write(0x07064b50u);
            writer.Write(0u);
            writer.Write(start + directory.Length);
            writer.Write(1u);
        }
        writer.Write(0x06054b50u);
        writer.Write(0u);
        writer.Write((ushort)Math.Min(count, 0xFFFF));
        writer.Write((ushort)Math.Min(count, 0xFFFF));
        writer.Write((uint)directory.Length);
        writer.Write(zip64 ? uint.MaxValue : (uint)start);
        writer.Write((ushort)0);
    }
}

/// <summary>A zip entry; <paramref name="Data"/> null writes <paramref name="Length"/> zeros as a hole.</summary>
internal sealed record ZipPart(string Name, byte[]? Data, long Length = 0);

/// <summary>Writes pickles, the good ones and the bad ones.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _stream = new();

    public PickleWriter() => Raw(0x80, 2);

    public PickleWriter Raw(params byte[] bytes)
    {
        _stream.Write(bytes);
        return this;
    }

    public PickleWriter Ascii(string text) => Raw(Encoding.ASCII.GetBytes(text));

    public PickleWriter Global(string module, string name) => Ascii($"c{module}\n{name}\n");

    public PickleWriter Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Ascii("X").Raw(length.ToArray()).Raw(bytes);
    }

    public PickleWriter Number(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8a, 8).Raw(bytes.ToArray());
    }

    public PickleWriter Numbers(params long[] values)
    {
        Ascii("(");
        foreach (var value in values)
            Number(value);
        return Ascii("t");
    }

    public PickleWriter BeginDict() => Ascii("}(");

    public PickleWriter EndDict() => Ascii("u.");

    public PickleWriter Storage(string id, string type, long elements) =>
        Ascii("(").Text("storage").Global("torch", type).Text(id).Text("cpu").Number(elements).Ascii("tQ");

    public PickleWriter Tensor(string id, ElementType type, long elements, long offset, long[] shape, long[]? strides = null)
    {
        if (strides is null)
        {
            strides = new long[shape.Length];
            var step = 1L;
            for (var axis = shape.Length - 1; axis >= 0; axis--)
            {
                strides[axis] = step;
                step *= shape[axis];
            }
        }
        return Global("torch._utils", "_rebuild_tensor_v2").Ascii("(").Storage(id, StorageName(type), elements).Number(offset)
            .Numbers(shape).Numbers(strides).Raw(0x89).Global("collections", "OrderedDict").Ascii(")Rt").Ascii("R");
    }

    public byte[] ToArray() => _stream.ToArray();

    private static string StorageName(ElementType type) => type switch
    {
        ElementType.Float32 => "FloatStorage",
        ElementType.Float16 => "HalfStorage",
        ElementType.BFloat16 => "BFloat16Storage",
        ElementType.Float64 => "DoubleStorage",
        ElementType.Int64 => "LongStorage",
        ElementType.Int32 => "IntStorage",
        ElementType.Int16 => "ShortStorage",
        ElementType.Int8 => "CharStorage",
        ElementType.Bool => "BoolStorage",
        _ => "ByteStorage",
    };
}
