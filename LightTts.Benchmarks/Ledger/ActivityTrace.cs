using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LightTts.Benchmarks.Ledger;

/// <summary>Records what the devices of this process do, and by which calls they were asked, until it is disposed. One at a time.</summary>
internal sealed unsafe class ActivityTrace : IDisposable
{
    private const int BufferBytes = 8 << 20;
    private const int Alignment = 8;

    private static readonly int[] Kinds =
        [ActivityReader.Kernel, ActivityReader.MemoryCopy, ActivityReader.MemoryFill, ActivityReader.RuntimeCall, ActivityReader.DriverCall];

    // CUPTI calls functions that know of nobody.
    private static ActivityTrace? s_current;

    private readonly Lock _gate = new();
    private readonly Cupti _cupti;
    private readonly ActivityReader _reader;
    private readonly Dictionary<nint, string> _kernels = [];
    private readonly Dictionary<(int, uint), string> _calls = [];

    private ActivityTrace(Cupti cupti)
    {
        _cupti = cupti;
        _reader = new ActivityReader(KernelName, CallName);
    }

    /// <summary>Now, in nanoseconds on the clock of what is recorded.</summary>
    public long Now => _cupti.Now;

    /// <summary>Begins to record; before the process first touches a device.</summary>
    /// <exception cref="TtsException">CUPTI is missing or refuses.</exception>
    public static ActivityTrace Begin(string? natives)
    {
        var trace = new ActivityTrace(Cupti.Load(natives));
        if (Interlocked.CompareExchange(ref s_current, trace, null) is not null)
            throw new InvalidOperationException("Activities are recorded once at a time.");
        trace._cupti.Register(&Requested, &Completed);
        foreach (var kind in Kinds)
            trace._cupti.Enable(kind);
        return trace;
    }

    /// <summary>What has happened since the last time. The device is to be waited for before, or what it still does is lost.</summary>
    public (List<DeviceActivity> Activities, List<HostCall> Calls) Take()
    {
        _cupti.Flush();
        lock (_gate)
            return _reader.Take();
    }

    public void Dispose()
    {
        foreach (var kind in Kinds)
            _cupti.Disable(kind);
        _cupti.Flush();
        Interlocked.CompareExchange(ref s_current, null, this);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Requested(byte** buffer, nuint* bytes, nuint* records)
    {
        *buffer = (byte*)NativeMemory.AlignedAlloc(BufferBytes, Alignment);
        *bytes = BufferBytes;
        *records = 0; // as many as it has room for
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Completed(nint context, uint stream, byte* buffer, nuint bytes, nuint valid)
    {
        try
        {
            s_current?.Read(buffer, valid);
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"Records of the ledger were lost: {e.Message}"); // an exception may not leave here
        }
        NativeMemory.AlignedFree(buffer);
    }

    private void Read(byte* buffer, nuint valid)
    {
        lock (_gate)
            for (var record = _cupti.Next(buffer, valid, null); record != null; record = _cupti.Next(buffer, valid, record))
                _reader.Read(record);
    }

    private string KernelName(nint address)
    {
        if (_kernels.TryGetValue(address, out var known))
            return known;
        return _kernels[address] = KernelNames.Short(Marshal.PtrToStringUTF8(address) ?? "kernel");
    }

    private string CallName(int domain, uint call)
    {
        if (_calls.TryGetValue((domain, call), out var known))
            return known;
        return _calls[(domain, call)] = KernelNames.WithoutVersion(_cupti.CallName(domain, call));
    }
}
