using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>The few functions of CUDA's driver that own kernels ask for. It is there wherever a CUDA device is.</summary>
internal static unsafe class CudaDriver
{
    private const int ComputeCapabilityMajor = 75, ComputeCapabilityMinor = 76, SharedBytesOfBlock = 97;
    private const int MaxDynamicSharedBytes = 8;
    private const int ProgrammaticStreamSerialization = 6;
    private const uint EventDisableTiming = 2;

    private static readonly delegate* unmanaged<nint*, void*, int> ModuleLoadData = (delegate* unmanaged<nint*, void*, int>)Find("cuModuleLoadData");
    private static readonly delegate* unmanaged<nint, int> ModuleUnload = (delegate* unmanaged<nint, int>)Find("cuModuleUnload");

    private static readonly delegate* unmanaged<nint*, nint, byte*,
        int> ModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, int>)Find("cuModuleGetFunction");

    private static readonly delegate* unmanaged<nint, int, int, int> FuncSetAttribute =
        (delegate* unmanaged<nint, int, int, int>)Find("cuFuncSetAttribute");

    private static readonly delegate* unmanaged<LaunchConfig*, nint, void**, void**,
        int> LaunchKernelEx = (delegate* unmanaged<LaunchConfig*, nint, void**, void**, int>)Find("cuLaunchKernelEx");

    private static readonly delegate* unmanaged<nint, void*, nuint, nint, int> MemcpyHostToDevice =
        (delegate* unmanaged<nint, void*, nuint, nint, int>)Find("cuMemcpyHtoDAsync_v2");

    private static readonly delegate* unmanaged<void*, nint, nuint, nint, int> MemcpyDeviceToHost =
        (delegate* unmanaged<void*, nint, nuint, nint, int>)Find("cuMemcpyDtoHAsync_v2");

    private static readonly delegate* unmanaged<nint*, uint, int> EventCreate = (delegate* unmanaged<nint*, uint, int>)Find("cuEventCreate");
    private static readonly delegate* unmanaged<nint, nint, int> EventRecord = (delegate* unmanaged<nint, nint, int>)Find("cuEventRecord");
    private static readonly delegate* unmanaged<nint, int> EventSynchronize = (delegate* unmanaged<nint, int>)Find("cuEventSynchronize");
    private static readonly delegate* unmanaged<nint, int> EventDestroy = (delegate* unmanaged<nint, int>)Find("cuEventDestroy_v2");
    private static readonly delegate* unmanaged<nint, int> StreamSynchronize = (delegate* unmanaged<nint, int>)Find("cuStreamSynchronize");
    private static readonly delegate* unmanaged<int, byte**, int> GetErrorString = (delegate* unmanaged<int, byte**, int>)Find("cuGetErrorString");
    private static readonly delegate* unmanaged<void*, int, uint, nint, ulong*, ulong*, uint*, uint*, int, int, int, int, int> TensorMapEncodeTiled =
        (delegate* unmanaged<void*, int, uint, nint, ulong*, ulong*, uint*, uint*, int, int, int, int, int>)Find("cuTensorMapEncodeTiled");

    private static readonly delegate* unmanaged<int*, int> DriverGetVersion = (delegate* unmanaged<int*, int>)Find("cuDriverGetVersion");
    private static readonly delegate* unmanaged<int*, int, int,
        int> DeviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Find("cuDeviceGetAttribute");

    /// <summary>Whether the driver has all of it: that of CUDA 11.8 or later.</summary>
    public static bool IsSupported =>
        ModuleLoadData != null && ModuleUnload != null && ModuleGetFunction != null && FuncSetAttribute != null && LaunchKernelEx != null
        && MemcpyHostToDevice != null && MemcpyDeviceToHost != null && StreamSynchronize != null && GetErrorString != null && DriverGetVersion != null
        && DeviceGetAttribute != null && EventCreate != null && EventRecord != null && EventSynchronize != null && EventDestroy != null;

    /// <summary>Whether the driver makes tensor maps: that of CUDA 12.0 or later.</summary>
    public static bool HasTensorMaps => TensorMapEncodeTiled != null;

    /// <summary>The CUDA version that the driver knows, as 1000 * major + 10 * minor.</summary>
    public static int Version
    {
        get
        {
            int version;
            return DriverGetVersion != null && DriverGetVersion(&version) == 0 ? version : 0;
        }
    }

    /// <summary>What a device can do, as 10 * major + minor.</summary>
    public static int ComputeCapability(int device)
    {
        int major, minor;
        Check(DeviceGetAttribute(&major, ComputeCapabilityMajor, device));
        Check(DeviceGetAttribute(&minor, ComputeCapabilityMinor, device));
        return 10 * major + minor;
    }

    /// <summary>Bytes of shared memory that a block may have at the most.</summary>
    public static int SharedBytes(int device)
    {
        int bytes;
        Check(DeviceGetAttribute(&bytes, SharedBytesOfBlock, device));
        return bytes;
    }

    /// <returns>A module of the current device; 0 where the code is not for it or damaged.</returns>
    /// <exception cref="ExternalException">The device has no memory for it.</exception>
    public static nint TryLoadModule(ReadOnlySpan<byte> code)
    {
        const int outOfMemory = 2;
        nint module;
        int error;
        fixed (byte* data = code)
            error = ModuleLoadData(&module, data);
        if (error == outOfMemory)
            Check(error); // the same code would fail again once it was compiled
        return error == 0 ? module : 0;
    }

    public static void UnloadModule(nint module) => _ = ModuleUnload(module); // a lost device has unloaded it

    public static nint Function(nint module, string name)
    {
        nint function;
        var text = Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            Check(ModuleGetFunction(&function, module, (byte*)text));
            return function;
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }

    /// <summary>Lets a kernel be launched with more shared memory than the 48 KB that all may have.</summary>
    public static void AllowSharedBytes(nint function, int bytes) => Check(FuncSetAttribute(function, MaxDynamicSharedBytes, bytes));

    /// <summary>Launches a kernel.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Shared memory of a block.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="overlap">Whether it may start before the kernel before it has ended, which it waits for by itself.</param>
    /// <param name="maps">Its first arguments.</param>
    /// <param name="arguments">The others, each in the lower bytes of its word.</param>
    public static void Launch(nint function, (int X, int Y, int Z) grid, int threads, int sharedBytes, nint stream, bool overlap,
        ReadOnlySpan<TensorMap> maps, ReadOnlySpan<long> arguments)
    {
        fixed (TensorMap* firsts = maps)
        fixed (long* values = arguments)
        {
            var addresses = stackalloc void*[maps.Length + arguments.Length];
            for (var i = 0; i < maps.Length; i++)
                addresses[i] = firsts + i;
            for (var i = 0; i < arguments.Length; i++)
                addresses[maps.Length + i] = values + i;
            var attribute = new LaunchAttribute { Id = ProgrammaticStreamSerialization, Value = 1 };
            var config = new LaunchConfig
            {
                GridX = (uint)grid.X, GridY = (uint)grid.Y, GridZ = (uint)grid.Z, BlockX = (uint)threads, BlockY = 1, BlockZ = 1,
                SharedBytes = (uint)sharedBytes, Stream = stream, Attributes = &attribute, AttributeCount = overlap ? 1u : 0,
            };
            Check(LaunchKernelEx(&config, function, addresses, null));
        }
    }

    /// <summary>Describes a matrix of bfloat16 numbers to the tensor memory accelerator, whose boxes become tiles: rows of 128 bytes, whose 16-byte
    /// pieces lie in the order that products of tiles read them in.</summary>
    /// <param name="address">Of a multiple of 16 bytes.</param>
    /// <param name="rows">Rows, one after the other.</param>
    /// <param name="columns">A multiple of 64.</param>
    /// <param name="boxRows">Rows of a box, at most 256.</param>
    public static TensorMap EncodeTensorMap(nint address, long rows, int columns, int boxRows)
    {
        const int bfloat16 = 9, plain = 0, swizzled = 3, sectorsOf128Bytes = 2, zeros = 0, boxColumns = 64;
        const int alignment = 64; // of the map where it is made
        var room = stackalloc byte[sizeof(TensorMap) + alignment];
        var map = (TensorMap*)(((nint)room + alignment - 1) / alignment * alignment);
        var sizes = stackalloc ulong[] { (ulong)columns, (ulong)rows };
        var stride = (ulong)columns * sizeof(ushort);
        var box = stackalloc uint[] { boxColumns, (uint)boxRows };
        var steps = stackalloc uint[] { 1, 1 };
        Check(TensorMapEncodeTiled(map, bfloat16, 2, address, sizes, &stride, box, steps, plain, swizzled, sectorsOf128Bytes, zeros));
        return *map;
    }

    /// <summary>Copies from pinned memory.</summary>
    public static void CopyToDevice(nint device, nint host, long bytes, nint stream) =>
        Check(MemcpyHostToDevice(device, (void*)host, (nuint)bytes, stream));

    /// <summary>Copies to pinned memory.</summary>
    public static void CopyToHost(nint host, nint device, long bytes, nint stream) =>
        Check(MemcpyDeviceToHost((void*)host, device, (nuint)bytes, stream));

    /// <summary>Waits until all that was launched on a stream is done.</summary>
    public static void Synchronize(nint stream) => Check(StreamSynchronize(stream));

    /// <summary>An event of the current device.</summary>
    public static nint CreateEvent()
    {
        nint handle;
        Check(EventCreate(&handle, EventDisableTiming));
        return handle;
    }

    public static void RecordEvent(nint handle, nint stream) => Check(EventRecord(handle, stream));

    public static void WaitForEvent(nint handle) => Check(EventSynchronize(handle));

    public static void DestroyEvent(nint handle) => _ = EventDestroy(handle); // a lost device has none any more

    // In the words of libtorch, by which a lost device is recognised.
    private static void Check(int error)
    {
        if (error == 0)
            return;
        byte* text;
        var words = GetErrorString(error, &text) == 0 ? Marshal.PtrToStringUTF8((nint)text) : null;
        throw new ExternalException($"CUDA error: {words ?? "unknown error"} ({error})");
    }

    private static nint Find(string name) =>
        NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var driver)
        && NativeLibrary.TryGetExport(driver, name, out var address) ? address : 0;

    /// <summary>CUlaunchConfig.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LaunchConfig
    {
        public uint GridX;
        public uint GridY;
        public uint GridZ;
        public uint BlockX;
        public uint BlockY;
        public uint BlockZ;
        public uint SharedBytes;
        public nint Stream;
        public LaunchAttribute* Attributes;
        public uint AttributeCount;
    }

    /// <summary>CUlaunchAttribute: an id and 64 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct LaunchAttribute
    {
        [FieldOffset(0)]
        public int Id;

        [FieldOffset(8)]
        public int Value;
    }
}
