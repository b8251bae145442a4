using LightTts.Cuda;
using LightTts.Torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Loads own kernels where device, driver and libtorch allow it.</summary>
internal static class OwnKernels
{
    [ThreadStatic]
    private static Action<string>? _told;

    /// <summary>Loads something whose kernels may not be had.</summary>
    /// <param name="told">Told why, where the device could have them.</param>
    /// <param name="load">Loads it, on this thread.</param>
    public static T Telling<T>(Action<string> told, Func<T> load)
    {
        var before = _told;
        _told = told;
        try
        {
            return load();
        }
        finally
        {
            _told = before;
        }
    }

    /// <summary>The kernels of some sources; null where they cannot be had, and libtorch's operations do the work.</summary>
    /// <param name="device">Where they are to run.</param>
    /// <param name="source">A file of Cuda/Kernels.</param>
    /// <param name="definitions">What its sizes are.</param>
    public static CudaModule? TryLoad(TorchDevice device, string source, IReadOnlyDictionary<string, int> definitions) =>
        TryLoad(device, [source], definitions);

    /// <summary>The same of several files, which are compiled as one.</summary>
    /// <param name="device">As above.</param>
    /// <param name="sources">Files of Cuda/Kernels.</param>
    /// <param name="definitions">As above.</param>
    /// <param name="isPlain">Whether they are to be those of cards without an instruction of their own.</param>
    public static CudaModule? TryLoad(TorchDevice device, IReadOnlyList<string> sources, IReadOnlyDictionary<string, int> definitions,
        bool isPlain = false)
    {
        if (!device.IsCuda || !CudaDriver.IsSupported || !CudaStream.IsSupported || !DeviceAddress.IsSupported)
            return null;
        CudaStream.UseDevice(device.Device.index);
        if (CudaDriver.ComputeCapability(device.Device.index) < 80)
            return null;
        if (KernelCompiler.TryLoad(TorchRuntime.LibtorchFolder) is not { } compiler)
        {
            _told?.Invoke("there is no NVRTC (libnvrtc), which a CUDA libtorch brings");
            return null;
        }
        try
        {
            return CudaModule.Load(sources, definitions, compiler, TorchRuntime.CacheFolder("kernels"), isPlain);
        }
        catch (InvalidOperationException e)
        {
            _told?.Invoke(e.Message);
            return null; // it is slower without, no more
        }
    }
}
