using System.Runtime.InteropServices;

namespace LightTts.Benchmarks.Ledger;

/// <summary>The few functions of CUPTI's activity interface that a ledger needs.</summary>
/// <remarks>CUPTI comes with CUDA's toolkit and with PyTorch, which asks for it by the name that is looked for here; it has to be loaded before the
/// process first touches a device.</remarks>
internal sealed unsafe class Cupti
{
    private const int SystemThreads = 1;      // CUPTI_ACTIVITY_THREAD_ID_TYPE_SYSTEM
    private const uint FlushForced = 1;       // CUPTI_ACTIVITY_FLAG_FLUSH_FORCED

    private static readonly string[] Names = ["libcupti.so.13", "libcupti.so.12", "libcupti.so"];

    private readonly delegate* unmanaged<int, int> _enable;
    private readonly delegate* unmanaged<int, int> _disable;
    private readonly delegate* unmanaged<uint, int> _flush;
    private readonly delegate* unmanaged<byte*, nuint, byte**, int> _next;
    private readonly delegate* unmanaged<delegate* unmanaged[Cdecl]<byte**, nuint*, nuint*, void>,
        delegate* unmanaged[Cdecl]<nint, uint, byte*, nuint, nuint, void>, int> _register;
    private readonly delegate* unmanaged<ulong*, int> _timestamp;
    private readonly delegate* unmanaged<int, uint, byte**, int> _callName;
    private readonly delegate* unmanaged<int, byte**, int> _resultName;
    private readonly delegate* unmanaged<int, int> _threadIds;

    private Cupti(nint library)
    {
        _enable = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cuptiActivityEnable");
        _disable = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cuptiActivityDisable");
        _flush = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(library, "cuptiActivityFlushAll");
        _next = (delegate* unmanaged<byte*, nuint, byte**, int>)NativeLibrary.GetExport(library, "cuptiActivityGetNextRecord");
        _register = (delegate* unmanaged<delegate* unmanaged[Cdecl]<byte**, nuint*, nuint*, void>,
            delegate* unmanaged[Cdecl]<nint, uint, byte*, nuint, nuint, void>, int>)
            NativeLibrary.GetExport(library, "cuptiActivityRegisterCallbacks");
        _timestamp = (delegate* unmanaged<ulong*, int>)NativeLibrary.GetExport(library, "cuptiGetTimestamp");
        _callName = (delegate* unmanaged<int, uint, byte**, int>)NativeLibrary.GetExport(library, "cuptiGetCallbackName");
        _resultName = (delegate* unmanaged<int, byte**, int>)NativeLibrary.GetExport(library, "cuptiGetResultString");
        _threadIds = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cuptiSetThreadIdType");
    }

    /// <summary>Now, in nanoseconds on the clock of the records.</summary>
    public long Now
    {
        get
        {
            ulong now;
            Check(_timestamp(&now), "tell the time");
            return (long)now;
        }
    }

    /// <summary>Loads it: from libtorch's folder, from the packages beside it, or from where the system looks.</summary>
    /// <param name="natives">Folder of libtorch's libraries; null: only where the system looks.</param>
    /// <exception cref="TtsException">There is none, or one that lacks a function.</exception>
    public static Cupti Load(string? natives)
    {
        foreach (var path in Candidates(natives))
        {
            if (!NativeLibrary.TryLoad(path, out var library))
                continue;
            try
            {
                return new Cupti(library);
            }
            catch (EntryPointNotFoundException e)
            {
                throw new TtsException($"{path} is too old for a ledger: {e.Message}", e);
            }
        }
        throw new TtsException("A ledger needs CUPTI, and no libcupti.so.13 or .12 was found in libtorch's folder, in the nvidia packages beside "
            + "it, or where the system looks. Install nvidia-cuda-cupti (it comes with PyTorch for CUDA), or add the toolkit's extras/CUPTI/lib64 to "
            + "LD_LIBRARY_PATH.");
    }

    /// <summary>Where it may be, most likely first.</summary>
    internal static IEnumerable<string> Candidates(string? natives)
    {
        List<string> folders = [];
        if (natives is not null)
        {
            folders.Add(natives);
            var packages = Path.GetFullPath(Path.Combine(natives, "..", "..", "nvidia"));
            if (Directory.Exists(packages))
                folders.AddRange(Directory.EnumerateDirectories(packages).Order().Select(package => Path.Combine(package, "lib")));
        }
        foreach (var name in Names)
        {
            foreach (var folder in folders)
                if (Path.Combine(folder, name) is var path && File.Exists(path))
                    yield return path;
            yield return name;
        }
    }

    /// <summary>Names the functions that give and take buffers.</summary>
    public void Register(delegate* unmanaged[Cdecl]<byte**, nuint*, nuint*, void> requested,
        delegate* unmanaged[Cdecl]<nint, uint, byte*, nuint, nuint, void> completed)
    {
        _ = _threadIds(SystemThreads); // without it threads have no names, and nothing else is lost
        Check(_register(requested, completed), "take buffers");
    }

    public void Enable(int kind) => Check(_enable(kind), $"record activities of kind {kind}");

    public void Disable(int kind) => _ = _disable(kind); // at the end, where nothing is to be done about it

    /// <summary>Hands over all buffers. The device is to be waited for before.</summary>
    public void Flush() => Check(_flush(FlushForced), "hand over its records");

    /// <summary>The record behind one, or the first; null where there are no more.</summary>
    public byte* Next(byte* buffer, nuint bytes, byte* record) => _next(buffer, bytes, &record) == 0 ? record : null;

    /// <summary>The name of a function of the driver (domain 1) or of the runtime (domain 2).</summary>
    public string CallName(int domain, uint call)
    {
        byte* name;
        return _callName(domain, call, &name) == 0 ? Marshal.PtrToStringUTF8((nint)name)! : $"call {call}";
    }

    private void Check(int result, string what)
    {
        if (result == 0)
            return;
        byte* text;
        var reason = _resultName(result, &text) == 0 ? Marshal.PtrToStringUTF8((nint)text) : null;
        throw new TtsException($"CUPTI cannot {what}: {reason ?? $"error {result}"}. Does another profiler watch this process?");
    }
}
