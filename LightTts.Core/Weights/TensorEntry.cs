namespace LightTts.Weights;

/// <summary>One stored tensor: its format and a way to read its elements in row-major order.</summary>
internal abstract class TensorEntry(string name, ElementType type, long[] shape)
{
    public string Name { get; } = name;

    public ElementType Type { get; } = type;

    public IReadOnlyList<long> Shape { get; } = shape;

    public long ElementCount { get; } = shape.Aggregate(1L, (a, b) => checked(a * b));

    public long ByteLength => checked(ElementCount * ElementSize(Type));

    /// <summary>Copies all elements, contiguous and row-major, in their stored format (little-endian).</summary>
    /// <param name="destination">Room for exactly <see cref="ByteLength"/> bytes.</param>
    public abstract unsafe void CopyTo(byte* destination);

    /// <summary>Reads the tensor converted to 32-bit floats; for small tensors.</summary>
    public abstract float[] ToSingles();

    /// <summary>Reads the tensor converted to 64-bit integers; for small integer tensors.</summary>
    public abstract long[] ToInt64s();

    /// <summary>The elements where they lie in the file, contiguous and row-major in their stored format; null where they do not lie so.</summary>
    public virtual MappedBytes? Map() => null;

    public static int ElementSize(ElementType type) => type switch
    {
        ElementType.Float64 or ElementType.Int64 => 8,
        ElementType.Float32 or ElementType.Int32 => 4,
        ElementType.Float16 or ElementType.BFloat16 or ElementType.Int16 => 2,
        _ => 1,
    };

    public override string ToString() => $"{Name} {Type}[{string.Join(", ", Shape)}]";
}
