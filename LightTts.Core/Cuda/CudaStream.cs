using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>A CUDA stream of libtorch's pool as the current one of a stage's thread: what the stages do on the device then runs side by side, and
/// one that waits for its results waits for nobody else's.</summary>
/// <remarks>
/// TorchSharp knows no streams; these are the exported C++ functions of libc10_cuda, whose arguments and results fit registers
/// (c10::cuda::CUDAStream is a c10::Stream: device type, device index, 64-bit id). Linux only: other systems pass such values in other ways.
/// Tensors that were made on one stream and are used on another need the device to be
/// waited for between; the stages hand each other host memory only.
/// </remarks>
internal sealed unsafe class CudaStream : IDisposable
{
    private static readonly delegate* unmanaged<byte, sbyte, Value> FromPool =
        (delegate* unmanaged<byte, sbyte, Value>)CudaSymbols.OfCore("_ZN3c104cuda17getStreamFromPoolEba");

    private static readonly delegate* unmanaged<sbyte, Value> Current =
        (delegate* unmanaged<sbyte, Value>)CudaSymbols.OfCore("_ZN3c104cuda20getCurrentCUDAStreamEa");

    private static readonly delegate* unmanaged<Value, void> SetCurrent =
        (delegate* unmanaged<Value, void>)CudaSymbols.OfCore("_ZN3c104cuda20setCurrentCUDAStreamENS0_10CUDAStreamE");

    private static readonly delegate* unmanaged<Value*, nint> Handle =
        (delegate* unmanaged<Value*, nint>)CudaSymbols.OfCore("_ZNK3c104cuda10CUDAStream6streamEv");

    private static readonly delegate* unmanaged<int*, int> GetDevice = (delegate* unmanaged<int*, int>)CudaSymbols.OfCore("cudaGetDevice");

    private static readonly delegate* unmanaged<int, int> SetDevice = (delegate* unmanaged<int, int>)CudaSymbols.OfCore("cudaSetDevice");

    private static readonly delegate* unmanaged<nint*, uint, int> Create =
        (delegate* unmanaged<nint*, uint, int>)CudaSymbols.OfCore("cudaStreamCreateWithFlags");

    private static readonly delegate* unmanaged<nint, int> Destroy = (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaStreamDestroy");
    private static readonly delegate* unmanaged<int> ClearError = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaGetLastError");

    // Those that nobody uses now, for the next who asks: libraries keep memory for every stream that they were ever called on, and libtorch's pool
    // hands out another one each time.
    private static readonly Dictionary<(int Device, bool Urgent), Stack<Value>> Idle = [];

    private readonly (int Device, bool Urgent) _kind;
    private readonly Value _stream;
    private readonly Value _before;
    private readonly int _deviceBefore;

    private CudaStream((int Device, bool Urgent) kind, Value stream, Value before, int deviceBefore) =>
        (_kind, _stream, _before, _deviceBefore) = (kind, stream, before, deviceBefore);

    /// <summary>Whether this libtorch lets streams be chosen; otherwise all threads share the default one.</summary>
    public static bool IsSupported => FromPool != null && Current != null && SetCurrent != null && GetDevice != null && SetDevice != null;

    /// <summary>The calling thread's current device; -1 where that cannot be told.</summary>
    public static int CurrentDevice
    {
        get
        {
            int device;
            return GetDevice != null && GetDevice(&device) == 0 ? device : -1;
        }
    }

    /// <summary>Makes a device, and a stream of its own there, the current ones of the calling thread, until the result is disposed on it.</summary>
    /// <param name="device">Number of the CUDA device; there is one of that number.</param>
    /// <param name="urgent">Whether its work goes before that of streams that are not.</param>
    /// <returns>Null where that is not supported.</returns>
    /// <exception cref="ExternalException">The device has no memory for another stream, or is lost.</exception>
    public static CudaStream? Enter(int device, bool urgent)
    {
        if (!IsSupported)
            return null;
        var index = checked((sbyte)device);
        var (deviceBefore, before) = (CurrentDevice, Current(index));
        SetDevice(device);
        var stream = Take(device, urgent);
        SetCurrent(stream);
        return new CudaStream((device, urgent), stream, before, deviceBefore);
    }

    /// <summary>Makes the streams of a device that the stages will take, while there is memory: libtorch's exception, where it finds none for the
    /// streams that it keeps, would end the process.</summary>
    /// <param name="device">Number of the CUDA device.</param>
    /// <param name="least">Bytes that have to be free: less is too little for any model.</param>
    /// <exception cref="ExternalException">There is less.</exception>
    public static void Prepare(int device, long least)
    {
        if (CudaMemory.Free(device) is { } free && free < least)
            throw new ExternalException("CUDA error: out of memory. "
                + $"Tried to allocate {least >> 20} MiB on GPU {device} where {free >> 20} MiB is free.");
        Enter(device, urgent: false)?.Dispose();
        Enter(device, urgent: true)?.Dispose();
    }

    /// <summary>Makes a device the calling thread's current one.</summary>
    public static void UseDevice(int device)
    {
        if (SetDevice != null)
            SetDevice(device);
    }

    /// <summary>The id of the calling thread's current stream; 0 is the default one.</summary>
    public static long CurrentId(int device) => IsSupported ? Current(checked((sbyte)device)).Id : 0;

    /// <summary>CUDA's own handle of the calling thread's current stream; null where it cannot be told.</summary>
    public static nint? CurrentHandle(int device)
    {
        if (!IsSupported || Handle == null)
            return null;
        var stream = Current(checked((sbyte)device));
        return Handle(&stream);
    }

    public void Dispose()
    {
        SetCurrent(_before);
        if (_deviceBefore >= 0)
            SetDevice(_deviceBefore);
        lock (Idle)
            Idle[_kind].Push(_stream);
    }

    private static Value Take(int device, bool urgent)
    {
        lock (Idle)
        {
            if (!Idle.TryGetValue((device, urgent), out var idle))
                Idle[(device, urgent)] = idle = new Stack<Value>();
            if (idle.TryPop(out var stream))
                return stream;
            RequireRoom();
            return FromPool(urgent ? (byte)1 : (byte)0, checked((sbyte)device));
        }
    }

    /// <summary>libtorch makes its streams when they are first asked for, and its exception would end the process.</summary>
    private static void RequireRoom()
    {
        const uint nonBlocking = 1;
        const int outOfMemory = 2;
        if (Create == null || Destroy == null || ClearError == null)
            return;
        nint trial;
        var error = Create(&trial, nonBlocking);
        if (error == 0)
        {
            _ = Destroy(trial);
            return;
        }
        _ = ClearError();
        throw new ExternalException($"CUDA error: {(error == outOfMemory ? "out of memory" : "no stream can be made")} ({error})");
    }

    /// <summary>c10::Stream.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Value
    {
        public readonly sbyte DeviceType;
        public readonly sbyte DeviceIndex;
        public readonly long Id;
    }
}
