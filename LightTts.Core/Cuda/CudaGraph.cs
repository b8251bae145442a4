using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>Work on a device that was recorded once and is launched as one piece: at::cuda::CUDAGraph, which keeps the memory of what was computed
/// in between apart from libtorch's ordinary memory.</summary>
/// <remarks>
/// TorchSharp knows no graphs; these are the exported C++ functions of libtorch_cuda. An exception out of them would end the process, so that only
/// work is captured that has run before, on a stream of the calling thread's own (<see cref="CudaStream"/>), with nothing in it that depends on
/// values or waits for the device. Inputs and results lie in tensors that stay. To be used by the thread that captured it. Linux only.
/// </remarks>
internal sealed unsafe class CudaGraph : IDisposable
{
    // The class has about 150 bytes (2.10, 2.11): room for what later versions may add.
    private const int ObjectBytes = 4096;
    private const int ThreadLocalMode = 1; // other threads may go on with what a capture forbids

    private static readonly delegate* unmanaged<void*, byte, void> Construct =
        (delegate* unmanaged<void*, byte, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraphC1Eb");

    private static readonly delegate* unmanaged<void*,
        void> Destruct = (delegate* unmanaged<void*, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraphD1Ev");

    private static readonly delegate* unmanaged<void*, Pool, int, void> Begin =
        (delegate* unmanaged<void*, Pool, int, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");

    private static readonly delegate* unmanaged<void*,
        void> End = (delegate* unmanaged<void*, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph11capture_endEv");

    private static readonly delegate* unmanaged<void*,
        void> Launch = (delegate* unmanaged<void*, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph6replayEv");

    private static readonly delegate* unmanaged<int> Synchronize = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaDeviceSynchronize");

    private static readonly delegate* unmanaged<Pool> NewPool = (delegate* unmanaged<Pool>)CudaSymbols.OfTorch("_ZN2at4cuda17graph_pool_handleEv");

    private static readonly Lock Capturing = new();

    private void* _graph;

    private CudaGraph(void* graph) => _graph = graph;

    /// <summary>Whether the calling thread can capture what it does on a device: this libtorch lets work be captured, the device is the thread's
    /// current one, and its stream is not the default one, which cannot be captured.</summary>
    public static bool CanCapture(int device) =>
        Construct != null && Destruct != null && Begin != null && End != null && Launch != null && NewPool != null
        && Synchronize != null
        && CudaStream.CurrentDevice == device && CudaStream.CurrentId(device) != 0;

    /// <summary>Memory that graphs share which are never launched at the same time.</summary>
    public static Pool CreatePool() => NewPool();

    /// <summary>Does the work twice, so that libraries allocate what they need and what would fail fails where it can be caught, then records it.
    /// One thread after the other: nobody may wait for a device while somebody records there.</summary>
    /// <param name="pool">Where its memory comes from.</param>
    /// <param name="work">Depends on nothing but tensors that stay; on the calling thread's current device.</param>
    public static CudaGraph CaptureWarm(Pool pool, Action work)
    {
        lock (Capturing)
        {
            work();
            work();
            if (Synchronize() is not 0 and var error)
                throw new ExternalException($"CUDA error {error}: the device failed at what was to be recorded");
            return Capture(pool, work);
        }
    }

    /// <summary>Records what the work launches on the calling thread's stream, without doing it.</summary>
    /// <param name="pool">Where its memory comes from.</param>
    /// <param name="work">Has run before, with tensors of the same shapes.</param>
    public static CudaGraph Capture(Pool pool, Action work)
    {
        var graph = NativeMemory.AlignedAlloc(ObjectBytes, 64);
        NativeMemory.Clear(graph, ObjectBytes);
        Construct(graph, 0);
        Begin(graph, pool, ThreadLocalMode);
        work();
        End(graph);
        return new CudaGraph(graph);
    }

    /// <summary>Launches it on the calling thread's stream.</summary>
    public void Replay()
    {
        ObjectDisposedException.ThrowIf(_graph == null, this);
        Launch(_graph);
    }

    public void Dispose()
    {
        if (_graph == null)
            return;
        Destruct(_graph);
        NativeMemory.AlignedFree(_graph);
        _graph = null;
    }

    /// <summary>c10::MempoolId_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Pool
    {
        private readonly ulong _first;
        private readonly ulong _second;
    }
}
