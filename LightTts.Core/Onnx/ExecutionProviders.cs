using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace LightTts.Onnx;

/// <summary>Chooses where ONNX Runtime computes.</summary>
internal static class ExecutionProviders
{
    private const string CudaName = "CUDAExecutionProvider";
    private const string TensorRtName = "TensorrtExecutionProvider";

    /// <summary>Appends the providers that the options ask for and that can be had, best first. The CPU always comes last by itself.</summary>
    /// <param name="session">Where they are appended.</param>
    /// <param name="options">Which are wanted.</param>
    /// <param name="engines">The model's folder of TensorRT engines.</param>
    /// <param name="reasons">Gets a sentence for each that cannot be had.</param>
    /// <returns>The providers in front of the CPU; empty for the CPU alone.</returns>
    /// <exception cref="NoProviderException">None can be had and the CPU is not wanted.</exception>
    public static IReadOnlyList<ExecutionProvider> Append(SessionOptions session, OnnxOptions options, string? engines, List<string> reasons)
    {
        List<ExecutionProvider> appended = [];
        var available = OrtEnv.Instance().GetAvailableProviders();
        foreach (var provider in options.Providers.Distinct())
        {
            if (provider == ExecutionProvider.Cpu)
                return appended;
            if (Append(session, provider, options, engines, available) is { } reason)
                reasons.Add($"{Shown(provider)}: {reason}");
            else
                appended.Add(provider);
        }
        return appended.Count > 0 ? appended : throw new NoProviderException(string.Join("; ", reasons));
    }

    /// <summary>What people call it.</summary>
    public static string Shown(ExecutionProvider provider) => provider switch
    {
        ExecutionProvider.TensorRt => "TensorRT",
        ExecutionProvider.Cuda => "CUDA",
        _ => "CPU",
    };

    /// <summary>What a person needs of ONNX Runtime's messages, which begin with places in its sources.</summary>
    public static string Reason(Exception e)
    {
        const string missing = "with error: "; // what the dynamic linker said
        var message = e.Message.ReplaceLineEndings(" ").Trim();
        var at = message.LastIndexOf(missing, StringComparison.Ordinal);
        return at < 0 ? message : message[(at + missing.Length)..];
    }

    /// <returns>Null, or why not.</returns>
    private static string? Append(SessionOptions session, ExecutionProvider provider, OnnxOptions options, string? engines, string[] available)
    {
        if (!available.Contains(provider == ExecutionProvider.Cuda ? CudaName : TensorRtName))
            return "this ONNX Runtime has been built without it (Microsoft.ML.OnnxRuntime.Gpu has it)";
        var level = OrtEnv.Instance().EnvLogLevel;
        try
        {
            OrtEnv.Instance().EnvLogLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL; // the reason is told by us, not on standard error
            if (provider == ExecutionProvider.Cuda)
            {
                using var cuda = new OrtCUDAProviderOptions();
                cuda.UpdateOptions(new()
                {
                    ["device_id"] = options.DeviceIndex.ToString(CultureInfo.InvariantCulture),
                    ["use_tf32"] = options.Tf32 ? "1" : "0",
                    ["cudnn_conv_algo_search"] = "HEURISTIC", // by default all ways are tried at every new length, and speech has a new one each time
                    ["arena_extend_strategy"] = "kSameAsRequested",
                });
                session.AppendExecutionProvider_CUDA(cuda);
            }
            else
            {
                using var tensorRt = new OrtTensorRTProviderOptions();
                tensorRt.UpdateOptions(options.TensorRt.ToProviderOptions(options.DeviceIndex, engines));
                session.AppendExecutionProvider_Tensorrt(tensorRt);
            }
            return null;
        }
        // The provider's library loads those of CUDA, cuDNN and TensorRT, which may be missing although the package is there.
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException)
        {
            return Reason(e);
        }
        finally
        {
            OrtEnv.Instance().EnvLogLevel = level;
        }
    }
}
