using System.Runtime.InteropServices;
using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Where tensors live and in which arithmetic the large products run.</summary>
/// <param name="Device">The device.</param>
/// <param name="Compute">Type of the large matrix products: Float32 or BFloat16. Everything that accumulates stays Float32.</param>
internal sealed record TorchDevice(Device Device, ScalarType Compute)
{
    /// <summary>The CPU in 32-bit arithmetic, exact to the reference.</summary>
    public static TorchDevice Cpu { get; } = new(torch.CPU, ScalarType.Float32);

    /// <summary>Whether the products of the language model and the flow's transformer are of 8-bit numbers.</summary>
    public bool Int8 { get; init; }

    /// <summary>How the weights of these products are kept where they are multiplied in 32 bits; on the CPU.</summary>
    public PanelFormat Weights { get; init; }

    /// <summary>Whether that is in 16 bits.</summary>
    public bool HalfWeights => Weights != PanelFormat.Float32;

    public bool IsCuda => Device.type == DeviceType.CUDA;

    /// <summary><see cref="Compute"/> as users say it.</summary>
    public ComputePrecision Precision => Int8 ? ComputePrecision.Int8
        : Weights == PanelFormat.Float16 ? ComputePrecision.Float16
        : HalfWeights || Compute == ScalarType.BFloat16 ? ComputePrecision.BFloat16 : ComputePrecision.Float32;

    public override string ToString() => IsCuda ? $"cuda:{Device.index}" : "cpu";

    /// <summary>The device and the arithmetic that the options ask for; <see cref="TorchRuntime.EnsureLoaded"/> comes first.</summary>
    /// <exception cref="TtsBackendException">CUDA was asked for and there is none.</exception>
    public static TorchDevice Open(ComputeDevice wanted, int index, ComputePrecision precision)
    {
        return new TorchDevice(Choose(wanted, index), ScalarType.Float32).With(precision);
    }

    /// <summary>The same device in another arithmetic; null: in the same one.</summary>
    /// <exception cref="TtsBackendException">The device has no such arithmetic.</exception>
    public TorchDevice With(ComputePrecision? precision)
    {
        if (precision is not { } wanted)
            return this;
        if (wanted == ComputePrecision.Int8 && IsCuda)
            throw new TtsBackendException("8-bit products are for the CPU. Set TtsPipelineOptions.Device to Cpu, or the precision to BFloat16.");
        if (wanted == ComputePrecision.Float16 && IsCuda)
            throw new TtsBackendException("Float16 weights are for the CPU. Set TtsPipelineOptions.Device to Cpu, or the precision to BFloat16.");
        var compute = Precisions.Choose(wanted, IsCuda);
        return this with
        {
            Compute = IsCuda ? compute : ScalarType.Float32,
            Weights = wanted == ComputePrecision.Float16 ? PanelFormat.Float16
                : !IsCuda && compute == Precisions.Half ? PanelFormat.BFloat16 : PanelFormat.Float32,
            Int8 = wanted == ComputePrecision.Int8,
        };
    }

    /// <summary>Chooses the device; <see cref="TorchRuntime.EnsureLoaded"/> comes first.</summary>
    /// <exception cref="TtsBackendException">CUDA was asked for and there is none.</exception>
    public static Device Choose(ComputeDevice wanted, int index)
    {
        if (wanted == ComputeDevice.Cpu)
            return torch.CPU;
        var count = CudaDevices();
        if (index < count)
        {
            // cuDNN's convolutions use TF32 unless told otherwise, which leaves 10 bits of a 32-bit number: the vocoder's phases do not bear that.
            backends.cudnn.allow_tf32 = false;
            backends.cuda.matmul.allow_tf32 = false;
            return new Device(DeviceType.CUDA, index);
        }
        if (wanted == ComputeDevice.Auto)
            return torch.CPU;
        throw new TtsBackendException(count > 0
            ? $"There is no CUDA device {index}; this machine has {count}. Set TtsPipelineOptions.DeviceIndex to 0..{count - 1}."
            : "No CUDA device can be used: the loaded libtorch has no CUDA support, or the driver is missing. Add the package TorchSharp-cuda-linux "
            + "or "
              + "TorchSharp-cuda-windows, name a CUDA libtorch's folder in TtsPipelineOptions.NativeLibraryPath, or set TtsPipelineOptions.Device to "
              + "Cpu.");
    }

    private static int CudaDevices()
    {
        try
        {
            return cuda.is_available() ? cuda.device_count() : 0;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ExternalException)
        {
            return 0;
        }
    }
}
