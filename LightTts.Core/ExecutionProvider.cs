namespace LightTts;

/// <summary>Where ONNX Runtime computes.</summary>
public enum ExecutionProvider
{
    /// <summary>An NVIDIA GPU by TensorRT, which builds an engine for the card at the first use.</summary>
    TensorRt,

    /// <summary>An NVIDIA GPU by CUDA and cuDNN.</summary>
    Cuda,

    /// <summary>The processor.</summary>
    Cpu,
}
