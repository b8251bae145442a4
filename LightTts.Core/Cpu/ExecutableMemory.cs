using System.Runtime.InteropServices;

namespace LightTts.Cpu;

/// <summary>Machine code that the processor may run, for instructions that .NET does not offer. It is written, then made executable: never both
/// at once.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ReadWrite = 1 | 2, ReadExecute = 1 | 4; // PROT_READ, PROT_WRITE, PROT_EXEC
    private const int PrivateAnonymous = 0x22;                // MAP_PRIVATE | MAP_ANONYMOUS on Linux
    private const uint CommitReserve = 0x3000, PageReadWrite = 0x04, PageExecuteRead = 0x20;

    /// <summary>Whether there is a way to it on this operating system.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsWindows();

    /// <summary>Code that stays for the life of the process.</summary>
    /// <returns>Where it begins; 0 where the system does not allow it.</returns>
    public static nint Create(ReadOnlySpan<byte> code)
    {
        var size = (nuint)code.Length;
        if (OperatingSystem.IsWindows())
        {
            var pages = VirtualAlloc(0, size, CommitReserve, PageReadWrite);
            if (pages == 0)
                return 0;
            code.CopyTo(new Span<byte>((void*)pages, code.Length));
            return VirtualProtect(pages, size, PageExecuteRead, out _) ? pages : 0;
        }
        var memory = Map(0, size, ReadWrite, PrivateAnonymous, -1, 0);
        if (memory == -1)
            return 0;
        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        return Protect(memory, size, ReadExecute) == 0 ? memory : 0;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint size, uint protection, out uint before);
}
