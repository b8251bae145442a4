namespace LightTts;

/// <summary>What computes the flow's velocity, which is most of the work of decoding.</summary>
public enum DecoderEngine
{
    /// <summary>ONNX Runtime where a file for it lies in the model directory and it brings an accelerator that is better than what else there is:
    /// TensorRT, or CUDA where libtorch has none; LightTts' own otherwise.</summary>
    Auto,

    /// <summary>LightTts' own, on libtorch.</summary>
    Torch,

    /// <summary>ONNX Runtime, on the first of <see cref="OnnxRuntimeOptions.Providers"/> that can be had; a model directory without a file for it,
    /// or with one that does not fit, is an error.</summary>
    OnnxRuntime,
}
