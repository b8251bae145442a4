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

    public override void Dispose() => kernels.Dispose();

    protected override void Turn(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places) =>
        kernels.Turn(Stream, buffers.Shape.Rows * buffers.Shape.Frames, qkv.Address(), buffers.Rotations.Address(), pages?.Address() ?? 0,
            buffers.Places?.Address() ?? 0, buffers.Columns);
}
