using LightTts.Cuda;
using LightTts.Torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Loads own kernels where device, driver and libtorch allow it.</summary>
internal static class OwnKernels
{
    /// <summary>The kernels of some sources; null where they cannot be had, and libtorch's operations do the work.</summary>
    /// <param name="device">Where they are to run.</param>
    /// <param name="source">A file of Cuda/Kernels.</param>
    /// <param name="definitions">What its sizes are.</param>
    public static CudaModule? TryLoad(TorchDevice device, string source, IReadOnlyDictionary<string, int> definitions) =>
        TryLoad(device, [source], definitions);

    /// <summary>The same of several files, which are compiled as one.</summary>
    public static CudaModule? TryLoad(TorchDevice device, IReadOnlyList<string> sources, IReadOnlyDictionary<string, int> definitions)
    {
        if (!device.IsCuda || !CudaDriver.IsSupported || !CudaStream.IsSupported || !DeviceAddress.IsSupported)
            return null;
        CudaStream.UseDevice(device.Device.index);
        if (CudaDriver.ComputeCapability(device.Device.index) < 80 || KernelCompiler.TryLoad(TorchRuntime.LibtorchFolder) is not { } compiler)
            return null;
        try
        {
            return CudaModule.Load(sources, definitions, compiler, TorchRuntime.CacheFolder("kernels"));
        }
        catch (InvalidOperationException)
        {
            return null; // it is slower without, no more
        }
    }
}
