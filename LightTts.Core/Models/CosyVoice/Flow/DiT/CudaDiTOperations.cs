using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>With own kernels for what libtorch needs several for: gate, norm, modulation and rounding; rotary positions and the way into the
/// pages; attention over them.</summary>
internal sealed class CudaDiTOperations(Files.DiTConfig config, TorchDevice device, FlowKernels kernels) : TorchDiTOperations(config, device.Compute)
{
    private readonly int _device = device.Device.index;
    private readonly ScalarType _compute = device.Compute;
    private Tensor? _workspace;
    private CublasLtProducts? _products;

    public override Tensor Normalise(Tensor h, Tensor scale, Tensor shift)
    {
        var y = empty(h.shape, _compute, h.device);
        kernels.Normalise(Stream, (int)h.shape[0], h.Address(), Norm(scale, shift), y.Address());
        return y;
    }

    /// <summary>The residual stream stays as it is: its 32 bits are read and written once a block only.</summary>
    public override Tensor AddAttended(Tensor h, Tensor attended, DiTModulation block)
    {
        var y = empty(h.shape, _compute, h.device);
        kernels.NormaliseSum(Stream, (int)h.shape[0], h.Address(), Gated(attended, block.Gate1), Norm(block.Scale2, block.Shift2), y.Address());
        return y;
    }

    public override Tensor AddBoth(Tensor h, Tensor attended, Tensor down, DiTModulation block, DiTModulation next)
    {
        var y = empty(h.shape, _compute, h.device);
        kernels.AddAndNormalise(Stream, (int)h.shape[0], h.Address(), Gated(attended, block.Gate1), Gated(down, block.Gate2),
            Norm(next.Scale1, next.Shift1), y.Address());
        return y;
    }

    public override void AddLast(Tensor h, Tensor attended, Tensor down, DiTModulation block)
    {
        Add(h, attended, block.Gate1);
        Add(h, down, block.Gate2);
    }

    /// <summary>The kernels that it launches, and others.</summary>
    public FlowKernels Kernels => kernels;

    /// <summary>The calling thread's.</summary>
    public nint Stream => CudaStream.CurrentHandle(_device)!.Value;

    public override Tensor Attend(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places)
    {
        if (kernels.Attention is not { } attention)
            return base.Attend(qkv, pages, buffers, places);
        Turn(qkv, pages, buffers, places);
        var y = empty([qkv.shape[0], qkv.shape[1] / 3], _compute, qkv.device);
        attention.Launch(Stream, (buffers.Shape.Rows, buffers.Shape.Frames, buffers.Columns), qkv.Address(), pages?.Rows() ?? default,
            buffers.Places?.Address() ?? 0, buffers.Seen.Address(), y.Address(), afterKernel: true);
        return y;
    }

    public override Tensor Multiply(Linear product, Tensor x) => Multiply(product, x, gelu: false) ?? base.Multiply(product, x);

    public override Tensor Up(Linear up, Tensor normalised) => Multiply(up, normalised, gelu: true) ?? base.Up(up, normalised);

    public override void Dispose()
    {
        _products?.Dispose();
        _workspace?.Dispose();
        kernels.Dispose();
    }

    protected override void Turn(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places) =>
        kernels.Turn(Stream, buffers.Shape.Rows * buffers.Shape.Frames, qkv.Address(), buffers.Rotations.Address(), pages?.Address() ?? 0,
            buffers.Places?.Address() ?? 0, buffers.Columns);

    private static FlowKernels.Norm Norm(Tensor scale, Tensor shift) => new(scale.Address(), shift.Address(), (float)NormEps);

    private static FlowKernels.Gated Gated(Tensor branch, Tensor gate) => new(branch.Address(), gate.Address());

    /// <summary>By the library; null where it has nothing for it.</summary>
    private Tensor? Multiply(Linear product, Tensor x, bool gelu)
    {
        if (Products is not { } products || product is not TorchLinear { Compute: ScalarType.BFloat16, Bias: { } bias } linear)
            return null;
        var y = empty([x.shape[0], product.Outputs], _compute, x.device);
        products.Multiply(Stream, x.Address(), linear.Weight.Address(), bias.Address(), y.Address(),
            ((int)y.shape[0], (int)product.Inputs, (int)product.Outputs), gelu);
        return y;
    }

    /// <summary>Made on the thread that asks; null where there are none.</summary>
    private CublasLtProducts? Products
    {
        get
        {
            if (_workspace is null)
            {
                _workspace = empty(CublasLtProducts.WorkspaceBytes, ScalarType.Byte, device.Device).DetachFromDisposeScope();
                _products = CublasLtProducts.TryCreate(_workspace.Address());
            }
            return _products;
        }
    }
}
