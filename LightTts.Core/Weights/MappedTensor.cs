using System.Runtime.CompilerServices;

namespace LightTts.Weights;

/// <summary>A tensor in a mapped file: contiguous, or with strides (in elements) over a
/// storage. Its maker has checked that all of it lies within the file.</summary>
internal sealed unsafe class MappedTensor : TensorEntry
{
    private const long CopiedAtOnce = 8 << 20;

    private readonly MappedFile _file;
    private readonly long _offset;
    private readonly long[]? _strides;

    /// <param name="file">Where the elements are.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="type">Format of an element.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="offset">Byte offset of the first element in the file.</param>
    /// <param name="strides">Distance in elements along each axis, none negative; null for row-major.</param>
    public MappedTensor(MappedFile file, string name, ElementType type, long[] shape, long offset, long[]? strides = null)
        : base(name, type, shape)
    {
        _file = file;
        _offset = offset;
        _strides = strides is null || IsContiguous(shape, strides) ? null : strides;
    }

    public override void CopyTo(byte* destination)
    {
        if (ElementCount == 0)
            return;
        if (_strides is null)
        {
            // In parts, each given back to the system at once: next to its copy, a tensor takes no second room in memory.
            for (long at = 0; at < ByteLength; at += CopiedAtOnce)
            {
                var length = Math.Min(CopiedAtOnce, ByteLength - at);
                Buffer.MemoryCopy(_file.At(_offset + at, length), destination + at, length, length);
                _file.Release(_offset + at, length);
            }
            return;
        }
        var size = ElementSize(Type);
        var last = 0L;
        for (var axis = 0; axis < _strides.Length; axis++)
            last += (Shape[axis] - 1) * _strides[axis];
        CopyAxis(_file.At(_offset, (last + 1) * size), ref destination, 0, size);
    }

    public override MappedBytes? Map() => _strides is null && ElementCount > 0 ? new MappedBytes(_file, _offset, ByteLength) : null;

    public override float[] ToSingles() => Convert(static (bytes, type, i) => type switch
    {
        ElementType.Float32 => Unsafe.ReadUnaligned<float>(bytes + i * 4),
        ElementType.Float64 => (float)Unsafe.ReadUnaligned<double>(bytes + i * 8),
        ElementType.Float16 => (float)Unsafe.ReadUnaligned<Half>(bytes + i * 2),
        ElementType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(bytes + i * 2) << 16),
        ElementType.Float8E4M3 => SingleFromE4M3(bytes[i]),
        ElementType.Float8E5M2 => (float)BitConverter.UInt16BitsToHalf((ushort)(bytes[i] << 8)),
        _ => Integer(bytes, type, i),
    });

    private static float SingleFromE4M3(byte bits)
    {
        int exponent = bits >> 3 & 15, mantissa = bits & 7;
        var magnitude = (exponent, mantissa) switch
        {
            (15, 7) => float.NaN,
            (0, _) => MathF.ScaleB(mantissa, -9),
            _ => MathF.ScaleB(8 + mantissa, exponent - 10),
        };
        return (bits & 0x80) == 0 ? magnitude : -magnitude;
    }

    public override long[] ToInt64s() => Type is ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16
        or ElementType.Float8E4M3 or ElementType.Float8E5M2
        ? throw new TtsModelLoadException($"{_file.Path}: tensor '{Name}' holds {Type} where integers are expected.")
        : Convert(Integer);

    private static long Integer(byte* bytes, ElementType type, long i) => type switch
    {
        ElementType.Int64 => Unsafe.ReadUnaligned<long>(bytes + i * 8),
        ElementType.Int32 => Unsafe.ReadUnaligned<int>(bytes + i * 4),
        ElementType.Int16 => Unsafe.ReadUnaligned<short>(bytes + i * 2),
        ElementType.Int8 => (sbyte)bytes[i],
        ElementType.Bool => bytes[i] != 0 ? 1 : 0,
        _ => bytes[i],
    };

    private delegate T ElementReader<T>(byte* bytes, ElementType type, long index);

    private T[] Convert<T>(ElementReader<T> read)
    {
        if (ByteLength > Array.MaxLength)
            throw new TtsModelLoadException($"{_file.Path}: tensor '{Name}' of {ByteLength} bytes is too large to convert.");
        var result = new T[ElementCount];
        if (result.Length == 0)
            return result;
        if (_strides is null)
        {
            var mapped = _file.At(_offset, ByteLength);
            for (var i = 0; i < result.Length; i++)
                result[i] = read(mapped, Type, i);
            return result;
        }
        fixed (byte* dense = new byte[ByteLength])
        {
            CopyTo(dense);
            for (var i = 0; i < result.Length; i++)
                result[i] = read(dense, Type, i);
        }
        return result;
    }

    private void CopyAxis(byte* source, ref byte* destination, int axis, int size)
    {
        var step = _strides![axis] * size;
        if (axis < _strides.Length - 1)
        {
            for (var i = 0L; i < Shape[axis]; i++)
                CopyAxis(source + i * step, ref destination, axis + 1, size);
            return;
        }
        for (var i = 0L; i < Shape[axis]; i++, destination += size)
            Unsafe.CopyBlockUnaligned(destination, source + i * step, (uint)size);
    }

    private static bool IsContiguous(long[] shape, long[] strides)
    {
        var expected = 1L;
        for (var axis = shape.Length - 1; axis >= 0; axis--)
        {
            // The stride along an axis of one element is never used, and torch stores any number there.
            if (shape[axis] != 1 && strides[axis] != expected)
                return false;
            expected *= shape[axis];
        }
        return true;
    }
}
