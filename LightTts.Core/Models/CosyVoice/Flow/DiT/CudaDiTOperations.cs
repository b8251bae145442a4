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
        kernels.Normalise(Stream, (int)h.shape[0], h.Address(), scale.Address(), shift.Address(), y.Address(), (float)NormEps);
        return y;
    }

    public override Tensor AddAndNormalise(Tensor h, Tensor branch, Tensor gate, Tensor scale, Tensor shift)
    {
        var y = empty(h.shape, _compute, h.device);
        kernels.AddAndNormalise(Stream, (int)h.shape[0], h.Address(), branch.Address(), gate.Address(), scale.Address(), shift.Address(), y.Address(),
            (float)NormEps);
        return y;
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
        attention.Launch(Stream, (buffers.Shape.Rows, buffers.Shape.Frames, buffers.Columns), qkv.Address(), pages?.Address() ?? 0,
            buffers.Places?.Address() ?? 0, buffers.Seen.Address(), y.Address(), afterKernel: true);
        return y;
    }

    public override Tensor Up(Linear up, Tensor normalised)
    {
        if (Products is not { } products || up is not TorchLinear { Compute: ScalarType.BFloat16, Bias: { } bias } linear)
            return base.Up(up, normalised);
        var y = empty([normalised.shape[0], up.Outputs], _compute, normalised.device);
        products.Multiply(Stream, normalised.Address(), linear.Weight.Address(), bias.Address(), y.Address(),
            ((int)y.shape[0], (int)up.Inputs, (int)up.Outputs), gelu: true);
        return y;
    }

    public override void Dispose()
    {
        _products?.Dispose();
        _workspace?.Dispose();
        kernels.Dispose();
    }

    protected override void Turn(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places) =>
        kernels.Turn(Stream, buffers.Shape.Rows * buffers.Shape.Frames, qkv.Address(), buffers.Rotations.Address(), pages?.Address() ?? 0,
            buffers.Places?.Address() ?? 0, buffers.Columns);

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
