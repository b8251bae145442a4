using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>A layer whose weights the processor multiplies by LightTts' own code, with or without tensors: for engines that have rows in
/// memory of their own.</summary>
internal abstract unsafe class HostLinear(long inputs, long outputs) : Linear(inputs, outputs, ScalarType.Float32)
{
    /// <summary><paramref name="y"/> = x Wᵀ + bias, or, accumulating, += x Wᵀ.</summary>
    /// <param name="x">[rows, Inputs].</param>
    /// <param name="xStride">Floats from one row of x to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="y">[rows, Outputs], with room for the outputs rounded up to <see cref="Cpu.PackedMatrix.Panel"/> in every row.</param>
    /// <param name="yStride">Floats from one row of y to the next.</param>
    /// <param name="accumulate">Whether to add to what is there.</param>
    /// <param name="threads">Threads that it may use; -1: all.</param>
    public abstract void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1);

    public override Tensor Apply(Tensor x)
    {
        using var converted = x.dtype == Compute && x.is_contiguous() ? null : x.to(Compute).contiguous();
        return Multiply(converted ?? x);
    }

    private Tensor Multiply(Tensor x)
    {
        const int panel = Cpu.PackedMatrix.Panel;
        var shape = x.shape;
        var stride = (Outputs + panel - 1) / panel * panel;
        shape[^1] = stride;
        var y = empty(shape, ScalarType.Float32);
        if (y.NumberOfElements > 0)
            Multiply(x.Pointer(), (int)Inputs, (int)(x.NumberOfElements / Inputs), y.Pointer(), (int)stride, accumulate: false, get_num_threads());
        return stride == Outputs ? y : y.narrow(-1, 0, Outputs);
    }
}
