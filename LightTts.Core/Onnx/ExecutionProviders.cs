using Microsoft.ML.OnnxRuntime;

namespace LightTts.Onnx;

/// <summary>Chooses where ONNX Runtime computes.</summary>
internal static class ExecutionProviders
{
    private const string CudaName = "CUDAExecutionProvider";
    private const string TensorRtName = "TensorrtExecutionProvider";

    /// <summary>Appends the providers that the options ask for, best first. The CPU always comes last by itself.</summary>
    /// <returns>The names of the providers that were appended; empty for the CPU alone.</returns>
    /// <exception cref="TtsBackendException">CUDA is demanded and cannot be had.</exception>
    public static IReadOnlyList<string> Append(SessionOptions session, OnnxOptions options)
    {
        if (options.Device is ComputeDevice.Cpu)
            return [];
        var available = OrtEnv.Instance().GetAvailableProviders();
        if (!available.Contains(CudaName))
        {
            if (options.Device is ComputeDevice.Auto)
                return [];
            throw new TtsBackendException("ONNX Runtime's native library has no CUDA. Replace the package Microsoft.ML.OnnxRuntime by "
                + "Microsoft.ML.OnnxRuntime.Gpu "
                + "(dotnet add package Microsoft.ML.OnnxRuntime.Gpu), or choose the CPU for the feature extractors.");
        }
        try
        {
            var appended = new List<string>(2);
            if (options.TensorRt && available.Contains(TensorRtName))
            {
                session.AppendExecutionProvider_Tensorrt(options.DeviceIndex);
                appended.Add(TensorRtName);
            }
            session.AppendExecutionProvider_CUDA(options.DeviceIndex);
            appended.Add(CudaName);
            return appended;
        }
        // The provider's library loads CUDA's and cuDNN's, which may be missing although the package is there.
        catch (OnnxRuntimeException) when (options.Device is ComputeDevice.Auto)
        {
            return [];
        }
        catch (OnnxRuntimeException e)
        {
            throw new TtsBackendException($"ONNX Runtime cannot use CUDA device {options.DeviceIndex}. Check that the driver, CUDA 12 and cuDNN 9 "
                + "are installed and that the device "
                + $"exists, or choose the CPU for the feature extractors. ({e.Message})", e);
        }
    }
}
