namespace LightTts.Cuda;

/// <summary>A stream of its own for a library that is told its stream when it is set up, before the threads that will use it have theirs: work there
/// begins behind what the calling thread's stream has, and that stream goes on behind it, without the host waiting for either.</summary>
/// <remarks>For one thread at a time. CUDA's runtime, as libtorch has it loaded.</remarks>
internal sealed unsafe class CudaSideStream : IDisposable
{
    private const uint NonBlocking = 1, DisableTiming = 2;

    private static readonly delegate* unmanaged<nint*, uint, int> CreateStream =
        (delegate* unmanaged<nint*, uint, int>)CudaSymbols.OfCore("cudaStreamCreateWithFlags");
    private static readonly delegate* unmanaged<nint, int> DestroyStream = (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaStreamDestroy");
    private static readonly delegate* unmanaged<nint*, uint, int> CreateEvent =
        (delegate* unmanaged<nint*, uint, int>)CudaSymbols.OfCore("cudaEventCreateWithFlags");
    private static readonly delegate* unmanaged<nint, int> DestroyEvent = (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaEventDestroy");
    private static readonly delegate* unmanaged<nint, nint, int> Record = (delegate* unmanaged<nint, nint, int>)CudaSymbols.OfCore("cudaEventRecord");
    private static readonly delegate* unmanaged<nint, nint, uint, int> Wait =
        (delegate* unmanaged<nint, nint, uint, int>)CudaSymbols.OfCore("cudaStreamWaitEvent");

    private readonly int _device;
    private readonly nint _event;

    private CudaSideStream(int device, nint stream, nint mark) => (_device, Handle, _event) = (device, stream, mark);

    /// <summary>CUDA's handle.</summary>
    public nint Handle { get; }

    /// <summary>Makes one on a device, which becomes the calling thread's current one.</summary>
    /// <returns>Null where CUDA's runtime cannot be found, or has no room for it.</returns>
    public static CudaSideStream? TryCreate(int device)
    {
        if (CreateStream == null || DestroyStream == null || CreateEvent == null || DestroyEvent == null || Record == null || Wait == null
            || !CudaStream.IsSupported)
            return null;
        CudaStream.UseDevice(device);
        nint stream, mark;
        if (CreateStream(&stream, NonBlocking) != 0)
            return null;
        if (CreateEvent(&mark, DisableTiming) == 0)
            return new CudaSideStream(device, stream, mark);
        _ = DestroyStream(stream);
        return null;
    }

    /// <summary>What is launched here from now on begins when all that the calling thread's stream has now is done.</summary>
    /// <returns>False where that could not be arranged: the device is lost, or the thread's stream is not known.</returns>
    public bool TryFollow() => CudaStream.CurrentHandle(_device) is { } current && TryOrder(current, Handle);

    /// <summary>What the calling thread's stream gets from now on begins when all that was launched here is done.</summary>
    /// <inheritdoc cref="TryFollow" path="/returns"/>
    public bool TryLead() => CudaStream.CurrentHandle(_device) is { } current && TryOrder(Handle, current);

    public void Dispose()
    {
        _ = DestroyEvent(_event);
        _ = DestroyStream(Handle);
    }

    private bool TryOrder(nint first, nint second) => Record(_event, first) == 0 && Wait(second, _event, 0) == 0;
}
