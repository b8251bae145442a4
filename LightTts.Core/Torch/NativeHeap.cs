using System.Runtime.InteropServices;

namespace LightTts.Torch;

/// <summary>glibc's heaps, in which libtorch's tensors lie: what was given back to them stays the process's unless they are told otherwise, a sixth
/// of what a large model takes. Other C libraries are left alone.</summary>
internal static unsafe class NativeHeap
{
    private const int MapThreshold = -3, MostArenas = -8; // of malloc.h
    private const int Large = 2 << 20; // above the tensors that a step of the vocoder makes again and again

    /// <summary>Has it keep less, unless the user's environment says how much; before anything large is allocated.</summary>
    public static void KeepLess()
    {
        if (Find("mallopt") is not { } export)
            return;
        var mallopt = (delegate* unmanaged<int, int, int>)export;
        // Large blocks come from the system and go back to it, as they do until the first one is freed; from then on up to 32 MB would lie in heaps.
        if (Environment.GetEnvironmentVariable("MALLOC_MMAP_THRESHOLD_") is null)
            _ = mallopt(MapThreshold, Large);
        // No more heaps than threads that can run, instead of eight times as many: each keeps its own holes.
        if (Environment.GetEnvironmentVariable("MALLOC_ARENA_MAX") is null)
            _ = mallopt(MostArenas, Environment.ProcessorCount);
    }

    /// <summary>Gives the system what is free, when something large has been done: a model has been loaded.</summary>
    public static void GiveBack()
    {
        if (Find("malloc_trim") is { } export)
            _ = ((delegate* unmanaged<nuint, int>)export)(0);
    }

    private static nint? Find(string name) => OperatingSystem.IsLinux()
        && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), name, out var export) ? export : null;
}
