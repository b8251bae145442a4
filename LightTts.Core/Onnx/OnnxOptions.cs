namespace LightTts.Onnx;

/// <summary>How ONNX models run.</summary>
internal sealed record OnnxOptions
{
    /// <summary><see cref="ComputeDevice.Auto"/>: CUDA where ONNX Runtime's natives and the machine have it, the CPU otherwise;
    /// <see cref="ComputeDevice.Cuda"/>: an error where they do not. Default the CPU.</summary>
    public ComputeDevice Device { get; init; } = ComputeDevice.Cpu;

    /// <summary>Which CUDA device.</summary>
    public int DeviceIndex { get; init; }

    /// <summary>Whether TensorRT is put in front of CUDA where the natives have it.</summary>
    public bool TensorRt { get; init; }

    /// <summary>Threads that one operation may use on the CPU, at least 1; null for ONNX Runtime's own choice, one for each physical core.</summary>
    public int? Threads { get; init; }
}
