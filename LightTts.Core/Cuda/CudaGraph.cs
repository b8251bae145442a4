using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>Work on a device that was recorded once and is launched as one piece: at::cuda::CUDAGraph, which keeps the memory of what was computed
/// in between apart from libtorch's ordinary memory.</summary>
/// <remarks>
/// TorchSharp knows no graphs; these are the exported C++ functions of libtorch_cuda. An exception out of them would end the process, so that only
/// work is captured that has run before, on a stream of the calling thread's own (<see cref="CudaStream"/>), with nothing in it that depends on
/// values or waits for the device; and what can fail by itself, for want of memory or because the device is lost, goes through CUDA's C functions,
/// which say so in their results: beginning, which is tried with nothing first, making it executable, and every launch. What libtorch itself needs
/// memory for is there by then (Torch/FirstGraph.cs). What remains: a device that is lost in the microseconds between such a trial and the call.
/// Inputs and results lie in tensors that stay. To be launched by the thread that captured it. Linux only.
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

    private static readonly delegate* unmanaged<void*, CudaGraphPool.Number, int, void> Begin =
        (delegate* unmanaged<void*, CudaGraphPool.Number, int, void>)
        CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");

    private static readonly delegate* unmanaged<void*,
        void> End = (delegate* unmanaged<void*, void>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph11capture_endEv");

    private static readonly delegate* unmanaged<void*, nint> Recorded =
        (delegate* unmanaged<void*, nint>)CudaSymbols.OfTorch("_ZN2at4cuda9CUDAGraph14raw_cuda_graphEv");

    private static readonly delegate* unmanaged<int> Synchronize = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaDeviceSynchronize");
    private static readonly delegate* unmanaged<nint, int*, int> IsCapturing =
        (delegate* unmanaged<nint, int*, int>)CudaSymbols.OfCore("cudaStreamIsCapturing");
    private static readonly delegate* unmanaged<nint, int, int> BeginCapture =
        (delegate* unmanaged<nint, int, int>)CudaSymbols.OfCore("cudaStreamBeginCapture");
    private static readonly delegate* unmanaged<nint, nint*, int> EndCapture =
        (delegate* unmanaged<nint, nint*, int>)CudaSymbols.OfCore("cudaStreamEndCapture");
    private static readonly delegate* unmanaged<nint, int> DestroyRecording = (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaGraphDestroy");
    private static readonly delegate* unmanaged<nint*, nint, ulong, int> Instantiate =
        (delegate* unmanaged<nint*, nint, ulong, int>)CudaSymbols.OfCore("cudaGraphInstantiateWithFlags");
    private static readonly delegate* unmanaged<nint, nint, int> Launch = (delegate* unmanaged<nint, nint, int>)CudaSymbols.OfCore("cudaGraphLaunch");
    private static readonly delegate* unmanaged<nint, int> DestroyExecutable =
        (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaGraphExecDestroy");
    private static readonly delegate* unmanaged<int, byte*> ErrorText = (delegate* unmanaged<int, byte*>)CudaSymbols.OfCore("cudaGetErrorString");
    private static readonly delegate* unmanaged<int> ClearError = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaGetLastError");

    private static readonly Lock Capturing = new(); // libtorch's list of a device's graphs is for one thread at a time

    private static long s_captured;

    private readonly int _device;
    private readonly CudaGraphPool.Share _memory;
    private void* _graph; // the recording, which holds the memory
    private nint _executable;

    private CudaGraph(void* graph, nint executable, int device, CudaGraphPool.Share memory)
    {
        _graph = graph;
        _executable = executable;
        _device = device;
        _memory = memory;
    }

    /// <summary>Captures of this process so far.</summary>
    public static long Captured => Interlocked.Read(ref s_captured);

    /// <summary>Whether the calling thread can capture what it does on a device: this libtorch lets work be captured, the device is the thread's
    /// current one, and its stream is not the default one, which cannot be captured.</summary>
    public static bool CanCapture(int device) =>
        Construct != null && Destruct != null && Begin != null && End != null && Recorded != null && CudaGraphPool.IsSupported
        && Synchronize != null && IsCapturing != null && BeginCapture != null && EndCapture != null && DestroyRecording != null
        && Instantiate != null && Launch != null && DestroyExecutable != null && ErrorText != null && ClearError != null
        && CudaStream.CurrentDevice == device && CudaStream.CurrentId(device) != 0 && CudaStream.CurrentHandle(device) is not null;

    /// <summary>Does the work twice, so that libraries allocate what they need and what would fail fails where it can be caught, then records it.
    /// One thread after the other: nobody may wait for a device while somebody records there.</summary>
    /// <param name="pool">Where its memory comes from.</param>
    /// <param name="work">Depends on nothing but tensors that stay; on the calling thread's current device.</param>
    /// <exception cref="ExternalException">The device has too little memory for it, or is lost.</exception>
    public static CudaGraph CaptureWarm(CudaGraphPool pool, Action work)
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
    private static CudaGraph Capture(CudaGraphPool pool, Action work)
    {
        var device = CudaStream.CurrentDevice;
        var stream = CudaStream.CurrentHandle(device)!.Value;
        TryBegin(stream);
        var graph = NativeMemory.AlignedAlloc(ObjectBytes, 64);
        NativeMemory.Clear(graph, ObjectBytes);
        Construct(graph, 1); // the recording stays, and is made executable here
        var memory = pool.Enter();
        Begin(graph, memory.Number, ThreadLocalMode);
        Interlocked.Increment(ref s_captured);
        try
        {
            work();
        }
        catch
        {
            if (TryEnd(graph, stream))
                Free(graph, memory);
            else
                pool.Abandon();
            throw;
        }
        if (!TryEnd(graph, stream))
        {
            pool.Abandon();
            throw new ExternalException("CUDA error: what was to be recorded did what cannot be");
        }
        nint executable;
        var error = Instantiate(&executable, Recorded(graph), AsLibtorch);
        if (error != 0)
            Free(graph, memory);
        Check(error);
        return new CudaGraph(graph, executable, device, memory);
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
        lock (Capturing)
        {
            _ = DestroyExecutable(_executable); // a lost device has no graphs any more
            Free(_graph, _memory);
        }
        _graph = null;
    }

    /// <summary>Records nothing, to hear in time of what would make libtorch throw, and forgets errors that it would take for its own.</summary>
    private static void TryBegin(nint stream)
    {
        _ = ClearError();
        Check(BeginCapture(stream, ThreadLocalMode));
        nint nothing;
        Check(EndCapture(stream, &nothing));
        _ = DestroyRecording(nothing);
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

    private static void Free(void* graph, CudaGraphPool.Share memory)
    {
        Destruct(graph);
        NativeMemory.AlignedFree(graph);
        memory.Graphs--;
    }

    // In the words of libtorch, by which a lost device is recognised.
    private static void Check(int error)
    {
        if (error == 0)
            return;
        _ = ClearError(); // libtorch would take it for its own at its next call
        throw new ExternalException($"CUDA error: {Marshal.PtrToStringUTF8((nint)ErrorText(error))} ({error})");
    }
}
