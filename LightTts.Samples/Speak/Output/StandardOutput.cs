using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.Samples.Speak.Output;

/// <summary>Standard output as bytes. The console's own stream hides that the reader has gone; this one reports it.</summary>
internal static partial class StandardOutput
{
    private const int GetFlags = 3, AccessMode = 3;

    private const int BrokenPipeUnix = 32, BrokenPipeWindows = unchecked((int)0x8007006D), NoDataWindows = unchecked((int)0x800700E8);

    /// <exception cref="IOException">It is closed.</exception>
    public static Stream Open()
    {
        Need("Leave it open, or name a file: -o speech.wav");
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();
        return new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    }

    /// <summary>Looks whether there is a standard output.</summary>
    /// <param name="cure">What to do about it.</param>
    /// <exception cref="IOException">It is closed.</exception>
    public static void Need(string cure)
    {
        // Where it was closed, the runtime may have opened something of its own in its place, mostly for reading.
        if (!OperatingSystem.IsWindows() && Control(1, GetFlags) is var flags && (flags < 0 || (flags & AccessMode) == 0))
            throw new IOException($"Standard output is closed. {cure}");
    }

    /// <summary>Whether the reader of a pipe has gone.</summary>
    /// <remarks>A child's standard input is a pair of sockets to the runtime.</remarks>
    public static bool IsBrokenPipe(IOException error) => error.HResult is BrokenPipeUnix or BrokenPipeWindows or NoDataWindows
        || error.InnerException is SocketException { SocketErrorCode: SocketError.Shutdown or SocketError.ConnectionReset };

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);
}
