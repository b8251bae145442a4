using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LightTts.Weights;

namespace LightTts.Torch;

/// <summary>A table of which single rows are wanted, read where it lies in its file: what is not asked for takes no memory.</summary>
internal sealed unsafe class MappedRows : IDisposable
{
    private readonly MappedBytes _bytes;
    private readonly ElementType _type;
    private readonly int _width;

    private MappedRows(MappedBytes bytes, ElementType type, int width) => (_bytes, _type, _width) = (bytes, type, width);

    /// <summary>Takes a matrix of a file.</summary>
    /// <returns>Null where it does not lie row by row, or is of another type.</returns>
    public static MappedRows? Of(TensorEntry entry) =>
        entry.Type is ElementType.Float32 or ElementType.BFloat16 or ElementType.Float16 && entry.Shape.Count == 2 && entry.Map() is { } bytes
            ? new MappedRows(bytes, entry.Type, (int)entry.Shape[1]) : null;

    /// <summary>Copies a row in 32-bit floats.</summary>
    public void Copy(int row, float* to)
    {
        var target = new Span<float>(to, _width);
        var from = _bytes.Start + (long)row * _width * TensorEntry.ElementSize(_type);
        switch (_type)
        {
            case ElementType.Float32:
                new ReadOnlySpan<float>(from, _width).CopyTo(target);
                break;
            case ElementType.Float16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(from, _width), target);
                break;
            default:
                var halves = new ReadOnlySpan<ushort>(from, _width);
                var bits = MemoryMarshal.Cast<float, uint>(target);
                for (var i = 0; i < halves.Length; i++)
                    bits[i] = (uint)halves[i] << 16;
                break;
        }
    }

    public void Dispose() => _bytes.Dispose();
}
