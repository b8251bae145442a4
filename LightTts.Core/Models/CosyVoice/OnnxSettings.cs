using LightTts.Onnx;
using Microsoft.Extensions.Logging;

namespace LightTts.Models.CosyVoice;

/// <summary>What the user's options mean for the ONNX files of a model directory.</summary>
internal static class OnnxSettings
{
    /// <summary>What all of them share.</summary>
    /// <param name="options">The user's.</param>
    /// <param name="building">Told when an engine is built.</param>
    /// <param name="log">Told what falls back.</param>
    /// <param name="cancellation">Gives up loading.</param>
    public static OnnxOptions Shared(TtsPipelineOptions options, Action<string> building, ILogger log, CancellationToken cancellation) => new()
    {
        Providers = options.Device == ComputeDevice.Cpu ? [ExecutionProvider.Cpu] : options.OnnxRuntime.Providers,
        DeviceIndex = options.DeviceIndex,
        Threads = options.Threads,
        TensorRt = new TensorRtOptions
        {
            CacheDirectory = options.OnnxRuntime.CacheDirectory ?? DefaultCache(),
            WorkspaceBytes = options.OnnxRuntime.WorkspaceBytes,
        },
        Building = building,
        Log = log,
        Cancellation = cancellation,
    };

    /// <summary>The user's data folder; null for a user without one, for whom every load builds anew.</summary>
    private static string? DefaultCache()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return home.Length > 0 ? Path.Combine(home, "LightTts", "tensorrt") : null;
    }
}
