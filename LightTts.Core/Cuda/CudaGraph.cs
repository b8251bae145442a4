using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>Work on a device that was recorded once and is launched as one piece: at::cuda::CUDAGraph, which keeps the memory of what was computed
/// in between apart from libtorch's ordinary memory.</summary>
/// <remarks>
/// TorchSharp knows no graphs; these are the exported C++ functions of libtorch_cuda. An exception out of them would end the process, so that only
/// work is captured that has run before, on a stream of the calling thread's own (<see cref="CudaStream"/>), with nothing in it that depends on
/// values or waits for the device; and what can fail by itself, for want of memory or because the device is lost, goes through CUDA's C functions,
/// which say so in their results: making it executable, and every launch. Inputs and results lie in tensors that stay. To be used by the thread
/// that captured it. Linux only.
/// </remarks>
internal sealed unsafe class CudaGraph : IDisposable
{
    // The class has about 150 bytes (2.10, 2.11): room for what later versions may add.
    private const int ObjectBytes = 4096;
    private const int ThreadLocalMode = 1; // other threads may go on with what a capture forbids
    private const ulong AsLibtorch = 1 | 8; // cudaGraphInstantiateFlagAutoFreeOnLaunch, -UseNodePriority
    private const int CaptureActive = 1; // cudaStreamCaptureStatusActive

    private static readonly delegate* unmanaged<void*, byte, void> Construct =
        (delegate* unmanaged<void*, byte, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraphC1Eb");

    private static readonly delegate* unmanaged<void*,
        void> Destruct = (delegate* unmanaged<void*, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraphD1Ev");

    private static readonly delegate* unmanaged<void*, Pool, int, void> Begin =
        (delegate* unmanaged<void*, Pool, int, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");

    private static readonly delegate* unmanaged<void*,
        void> End = (delegate* unmanaged<void*, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph11capture_endEv");

    private static readonly delegate* unmanaged<void*, nint> Recorded =
        (delegate* unmanaged<void*, nint>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph14raw_cuda_graphEv");

    private static readonly delegate* unmanaged<Pool> NewPool = (delegate* unmanaged<Pool>)CudaSymbols.OfTorch("_ZN2at4cuda17graph_pool_handleEv");

    private static readonly delegate* unmanaged<int> Synchronize = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaDeviceSynchronize");
    private static readonly delegate* unmanaged<nint, int*, int> IsCapturing =
        (delegate* unmanaged<nint, int*, int>)CudaSymbols.OfCore("cudaStreamIsCapturing");
    private static readonly delegate* unmanaged<nint, nint*, int> EndCapture =
        (delegate* unmanaged<nint, nint*, int>)CudaSymbols.OfCore("cudaStreamEndCapture");
    private static readonly delegate* unmanaged<nint*, nint, ulong, int> Instantiate =
        (delegate* unmanaged<nint*, nint, ulong, int>)CudaSymbols.OfCore("cudaGraphInstantiateWithFlags");
    private static readonly delegate* unmanaged<nint, nint, int> Launch = (delegate* unmanaged<nint, nint, int>)CudaSymbols.OfCore("cudaGraphLaunch");
    private static readonly delegate* unmanaged<nint, int> DestroyExecutable =
        (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaGraphExecDestroy");
    private static readonly delegate* unmanaged<int, byte*> ErrorText = (delegate* unmanaged<int, byte*>)CudaSymbols.OfCore("cudaGetErrorString");
    private static readonly delegate* unmanaged<int> ClearError = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaGetLastError");

    private static readonly Lock Capturing = new();

    private static long s_captured;

    private readonly int _device;
    private void* _graph; // the recording, which holds the memory
    private nint _executable;

    private CudaGraph(void* graph, nint executable, int device)
    {
        _graph = graph;
        _executable = executable;
        _device = device;
    }

    /// <summary>Captures of this process so far.</summary>
    public static long Captured => Interlocked.Read(ref s_captured);

    /// <summary>Whether the calling thread can capture what it does on a device: this libtorch lets work be captured, the device is the thread's
    /// current one, and its stream is not the default one, which cannot be captured.</summary>
    public static bool CanCapture(int device) =>
        Construct != null && Destruct != null && Begin != null && End != null && Recorded != null && NewPool != null
        && Synchronize != null && IsCapturing != null && EndCapture != null && Instantiate != null && Launch != null && DestroyExecutable != null
        && ErrorText != null && ClearError != null
        && CudaStream.CurrentDevice == device && CudaStream.CurrentId(device) != 0 && CudaStream.CurrentHandle(device) is not null;

    /// <summary>Whether what is launched on a stream is recorded.</summary>
    public static bool IsRecording(nint stream)
    {
        int state;
        return IsCapturing != null && IsCapturing(stream, &state) == 0 && state != 0;
    }

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
            Check(Synchronize());
            return Capture(pool, work);
        }
    }

    /// <summary>Records what the work launches on the calling thread's stream, without doing it.</summary>
    /// <param name="pool">Where its memory comes from.</param>
    /// <param name="work">Has run before, with tensors of the same shapes.</param>
    /// <exception cref="ExternalException">The device has too little memory for it, or is lost.</exception>
    public static CudaGraph Capture(Pool pool, Action work)
    {
        var device = CudaStream.CurrentDevice;
        var stream = CudaStream.CurrentHandle(device)!.Value;
        var graph = NativeMemory.AlignedAlloc(ObjectBytes, 64);
        NativeMemory.Clear(graph, ObjectBytes);
        Construct(graph, 1); // the recording stays, and is made executable here
        Begin(graph, pool, ThreadLocalMode);
        Interlocked.Increment(ref s_captured);
        try
        {
            work();
        }
        catch
        {
            if (TryEnd(graph, stream))
                Free(graph);
            throw;
        }
        if (!TryEnd(graph, stream))
            throw new ExternalException("CUDA error: what was to be recorded did what cannot be");
        nint executable;
        if (Instantiate(&executable, Recorded(graph), AsLibtorch) is not 0 and var error)
        {
            Free(graph);
            Check(error);
        }
        return new CudaGraph(graph, executable, device);
    }

    /// <summary>Launches it on the calling thread's stream.</summary>
    /// <exception cref="ExternalException">The device is lost, or has no memory left.</exception>
    public void Replay()
    {
        ObjectDisposedException.ThrowIf(_graph == null, this);
        Check(Launch(_executable, CudaStream.CurrentHandle(_device)!.Value));
    }

    public void Dispose()
    {
        if (_graph == null)
            return;
        _ = DestroyExecutable(_executable); // a lost device has no graphs any more
        Free(_graph);
        _graph = null;
    }

    /// <summary>Ends a recording in the way that its state allows.</summary>
    /// <returns>Whether there is one. Otherwise the object is left alone: to take it apart would throw.</returns>
    private static bool TryEnd(void* graph, nint stream)
    {
        int state;
        if (IsCapturing(stream, &state) == 0 && state == CaptureActive)
        {
            End(graph);
            return true;
        }
        nint nothing;
        _ = EndCapture(stream, &nothing);
        _ = ClearError();
        return false;
    }

    private static void Free(void* graph)
    {
        Destruct(graph);
        NativeMemory.AlignedFree(graph);
    }

    // In the words of libtorch, by which a lost device is recognised.
    private static void Check(int error)
    {
        if (error == 0)
            return;
        _ = ClearError(); // libtorch would take it for its own at its next call
        throw new ExternalException($"CUDA error: {Marshal.PtrToStringUTF8((nint)ErrorText(error))} ({error})");
    }

    /// <summary>c10::MempoolId_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Pool
    {
        private readonly ulong _first;
        private readonly ulong _second;
    }
}
