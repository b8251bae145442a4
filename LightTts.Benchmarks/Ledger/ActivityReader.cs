using System.Runtime.CompilerServices;

namespace LightTts.Benchmarks.Ledger;

/// <summary>Reads CUPTI's activity records.</summary>
/// <remarks>
/// The layouts are those of cupti_activity.h: CUpti_ActivityKernel8 to 10, CUpti_ActivityMemcpy5 and 6, CUpti_ActivityMemset3 and 4,
/// CUpti_ActivityAPI (CUDA 12 and 13), packed to 8 bytes. Newer versions of a record add fields behind those that are read here.
/// </remarks>
/// <param name="kernelName">The name at an address, as a person reads it.</param>
/// <param name="callName">The name of a function of the driver (domain 1) or of the runtime (domain 2).</param>
internal sealed unsafe class ActivityReader(Func<nint, string> kernelName, Func<int, uint, string> callName)
{
    public const int MemoryCopy = 1, MemoryFill = 2, DriverCall = 4, RuntimeCall = 5, Kernel = 10;
    private const int DriverDomain = 1, RuntimeDomain = 2;

    private static readonly string[] Directions =
    [
        "copy", "copy host to device", "copy device to host", "copy", "copy", "copy", "copy", "copy", "copy within the device",
        "copy within the host", "copy between devices",
    ];

    /// <summary>What was read and is still to be taken.</summary>
    public List<DeviceActivity> Activities { get; private set; } = [];

    /// <summary>Likewise.</summary>
    public List<HostCall> Calls { get; private set; } = [];

    /// <summary>Hands over what was read, and begins anew.</summary>
    public (List<DeviceActivity> Activities, List<HostCall> Calls) Take()
    {
        var taken = (Activities, Calls);
        (Activities, Calls) = ([], []);
        return taken;
    }

    /// <summary>Reads one record; those of other kinds, and those whose times are not known, are passed over.</summary>
    public void Read(byte* record)
    {
        switch (At<int>(record, 0))
        {
            case Kernel:
                Add(new DeviceActivity(kernelName(At<nint>(record, 104)), At<long>(record, 16), At<long>(record, 24), At<uint>(record, 40),
                    At<uint>(record, 48), At<uint>(record, 92), At<uint>(record, 156), 0));
                break;
            case MemoryCopy:
                var direction = record[4];
                AddOfMemory(record, direction < Directions.Length ? Directions[direction] : Directions[0]);
                break;
            case MemoryFill:
                AddOfMemory(record, "fill");
                break;
            case var kind and (DriverCall or RuntimeCall):
                Calls.Add(new HostCall(callName(kind == DriverCall ? DriverDomain : RuntimeDomain, At<uint>(record, 4)), At<long>(record, 8),
                    At<long>(record, 16), At<uint>(record, 28), At<uint>(record, 32)));
                break;
        }
    }

    private void AddOfMemory(byte* record, string name) =>
        Add(new DeviceActivity(name, At<long>(record, 16), At<long>(record, 24), At<uint>(record, 32), At<uint>(record, 40), At<uint>(record, 44),
            At<uint>(record, 72), At<long>(record, 8)));

    private void Add(DeviceActivity activity)
    {
        if (activity.Start > 0 && activity.End >= activity.Start)
            Activities.Add(activity);
    }

    private static T At<T>(byte* record, int offset) where T : unmanaged => Unsafe.ReadUnaligned<T>(record + offset);
}
