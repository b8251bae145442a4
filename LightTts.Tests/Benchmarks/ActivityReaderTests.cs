using System.Runtime.InteropServices;
using LightTts.Benchmarks.Ledger;
using LightTts.Tests.Support;

namespace LightTts.Tests.Benchmarks;

/// <summary>CUPTI's records, laid out here field by field as its header declares them.</summary>
public unsafe class ActivityReaderTests
{
    private readonly ActivityReader _reader = new(address => $"kernel at {address}", (domain, call) => $"{domain}:{call}");

    [Fact]
    public void A_kernels_record()
    {
        var record = new KernelRecord
        {
            Kind = 10, RegistersPerThread = 128, Start = 5_000_000_007, End = 5_000_000_107, Completed = 1, Device = 3, Context = 9, Stream = 21,
            GridX = 1, BlockZ = 2, LocalMemoryTotal = 4, Correlation = 77, GridId = -5, Name = 4242, Queued = 6, GraphNode = 1L << 40, ShmemLimit = 8,
            Graph = 12,
        };
        _reader.Read((byte*)&record);
        var (activities, calls) = _reader.Take();
        Assert.Equal([new DeviceActivity("kernel at 4242", 5_000_000_007, 5_000_000_107, 3, 21, 77, 12, 0)], activities);
        Assert.Empty(calls);
        Assert.Empty(_reader.Activities);
    }

    [Fact]
    public void Records_of_memory()
    {
        var copy = new MemoryRecord
        {
            Kind = 1, KindOfCopy = 2, Bytes = 4096, Start = 10, End = 30, Device = 1, Stream = 2, Correlation = 3, Graph = 4,
        };
        _reader.Read((byte*)&copy);
        var fill = new MemoryRecord { Kind = 2, Bytes = 8, Start = 40, End = 41, Device = 0, Stream = 6, Correlation = 7 };
        _reader.Read((byte*)&fill);
        Assert.Equal([new DeviceActivity("copy device to host", 10, 30, 1, 2, 3, 4, 4096), new DeviceActivity("fill", 40, 41, 0, 6, 7, 0, 8)],
            _reader.Activities);
    }

    [Fact]
    public void Calls_of_the_driver_and_of_the_runtime()
    {
        foreach (var kind in (uint[])[4, 5])
        {
            var record = new CallRecord { Kind = kind, Call = 311, Start = 100, End = 105, Process = 1, Thread = 4711, Correlation = 9, Result = 2 };
            _reader.Read((byte*)&record);
        }
        Assert.Equal([new HostCall("1:311", 100, 105, 4711, 9), new HostCall("2:311", 100, 105, 4711, 9)], _reader.Calls);
    }

    [Fact]
    public void Records_of_other_kinds_and_those_without_times_are_passed_over()
    {
        var other = new CallRecord { Kind = 17, Start = 1, End = 2 };
        _reader.Read((byte*)&other);
        var unfinished = new KernelRecord { Kind = 10, Start = 0, End = 0 };
        _reader.Read((byte*)&unfinished);
        Assert.Empty(_reader.Activities);
        Assert.Empty(_reader.Calls);
    }

    [Fact]
    public void Cupti_is_looked_for_beside_libtorch_and_what_is_missing_is_said()
    {
        using var folder = new TempFolder();
        var natives = Directory.CreateDirectory(Path.Combine(folder.Path, "torch", "lib")).FullName;
        var packaged = Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "nvidia", "cu13", "lib")).FullName, "libcupti.so.13");
        File.WriteAllText(packaged, "");
        Assert.Equal([packaged, "libcupti.so.13", "libcupti.so.12", "libcupti.so"], Cupti.Candidates(natives));
        Assert.Equal(["libcupti.so.13", "libcupti.so.12", "libcupti.so"], Cupti.Candidates(null));
        Assert.SkipWhen(Cupti.Candidates(null).Any(name => NativeLibrary.TryLoad(name, out _)), "this machine has CUPTI");
        Assert.Contains("libcupti.so.13", Assert.Throws<TtsException>(() => DeviceLedger.Open(new FileInfo(packaged + ".txt"), natives)).Message);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct KernelRecord
    {
        public uint Kind;
        public byte CacheConfig;
        public byte SharedMemoryConfig;
        public ushort RegistersPerThread;
        public uint CacheRequested;
        public uint CacheExecuted;
        public ulong Start;
        public ulong End;
        public ulong Completed;
        public uint Device;
        public uint Context;
        public uint Stream;
        public int GridX, GridY, GridZ;
        public int BlockX, BlockY, BlockZ;
        public int StaticSharedMemory;
        public int DynamicSharedMemory;
        public uint LocalMemoryPerThread;
        public uint LocalMemoryTotal;
        public uint Correlation;
        public long GridId;
        public nint Name;
        public nint Reserved;
        public ulong Queued;
        public ulong Submitted;
        public byte LaunchType;
        public byte IsCarveoutRequested;
        public byte CarveoutRequested;
        public byte Padding;
        public uint SharedMemoryExecuted;
        public long GraphNode;
        public uint ShmemLimit;
        public uint Graph;
        public nint AccessPolicyWindow;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct MemoryRecord
    {
        public uint Kind;
        public byte KindOfCopy; // of a fill, the first byte of its value
        public byte Source;
        public byte Destination;
        public byte Flags;
        public ulong Bytes;
        public ulong Start;
        public ulong End;
        public uint Device;
        public uint Context;
        public uint Stream;
        public uint Correlation;
        public uint RuntimeCorrelation; // of a fill, its flags and the kind of memory
        public uint Padding;
        public nint Reserved;
        public ulong GraphNode;
        public uint Graph;
        public uint Channel;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct CallRecord
    {
        public uint Kind;
        public uint Call;
        public ulong Start;
        public ulong End;
        public uint Process;
        public uint Thread;
        public uint Correlation;
        public uint Result;
    }
}
