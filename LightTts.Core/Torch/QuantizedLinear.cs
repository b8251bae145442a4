using LightTts.Cpu;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>8-bit weights with a scale for each output (<see cref="QuantizedMatrix"/>): a row gets the same bits in any company.</summary>
internal sealed unsafe class QuantizedLinear : HostLinear
{
    /// <summary>What is put behind a layer's name for its stored numbers.</summary>
    public const string Suffix = ".int8";

    private readonly QuantizedMatrix _matrix;

    /// <summary>Brings the weights to 8 bits; takes over both tensors.</summary>
    /// <param name="weight">[Out, In], on the CPU.</param>
    /// <param name="bias">[Out], or null.</param>
    public QuantizedLinear(Tensor weight, Tensor? bias) : base(weight.shape[1], weight.shape[0])
    {
        using var ownWeight = Own(weight, ScalarType.Float32);
        using var ownBias = bias is null ? null : Own(bias, ScalarType.Float32);
        _matrix = new QuantizedMatrix(ownWeight.Pointer(), (int)Outputs, (int)Inputs, ownBias is null ? null : ownBias.Pointer());
    }

    private QuantizedLinear(QuantizedMatrix matrix) : base(matrix.Inputs, matrix.Outputs) => _matrix = matrix;

    /// <inheritdoc cref="QuantizedMatrix.HasFineRows"/>
    public bool HasFineRows
    {
        get => _matrix.HasFineRows;
        set => _matrix.HasFineRows = value;
    }

    /// <summary>Takes one that was stored.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="entry">Finds a tensor by its name; null where there is none.</param>
    /// <param name="outputs">What it must have.</param>
    /// <param name="inputs">Likewise.</param>
    /// <returns>The layer; null where what is stored does not fit.</returns>
    public static QuantizedLinear? Load(string name, Func<string, TensorEntry?> entry, int outputs, int inputs)
    {
        var (numbers, scales, bias) = (entry(name + Suffix), entry(name + ".scale"), entry(name + ".bias"));
        var shape = QuantizedMatrix.ShapeOf(outputs, inputs);
        var padded = shape[0] * shape[2];
        if (numbers is not { Type: ElementType.Int8 } || !numbers.Shape.SequenceEqual(shape) || !IsRow(scales, padded)
            || (bias is not null && !IsRow(bias, padded)))
            return null;
        // The numbers are used where they lie in the file.
        var mapped = numbers.Map();
        var matrix = new QuantizedMatrix(outputs, inputs, bias is not null, mapped is null ? null : (sbyte*)mapped.Start, mapped);
        if (mapped is null)
            numbers.CopyTo((byte*)matrix.Numbers);
        scales!.CopyTo((byte*)matrix.Scales);
        bias?.CopyTo((byte*)matrix.Bias);
        return new QuantizedLinear(matrix);
    }

    /// <summary>Says how it is stored.</summary>
    public void Store(string name, SafetensorsWriter writer)
    {
        var padded = _matrix.Shape[0] * _matrix.Shape[2];
        writer.Add(name + Suffix, ElementType.Int8, _matrix.Shape, (byte*)_matrix.Numbers);
        writer.Add(name + ".scale", ElementType.Float32, [padded], (byte*)_matrix.Scales);
        if (_matrix.Bias is not null)
            writer.Add(name + ".bias", ElementType.Float32, [padded], (byte*)_matrix.Bias);
    }

    private static bool IsRow(TensorEntry? entry, long length) => entry is { Type: ElementType.Float32, Shape: [var found] } && found == length;

    public override void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1) =>
        _matrix.Multiply(x, xStride, rows, y, yStride, accumulate, threads);

    public override void Dispose() => _matrix.Dispose();
}
