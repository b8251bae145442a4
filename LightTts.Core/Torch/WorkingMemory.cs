using System.Runtime.InteropServices;
using LightTts.Cuda;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Memory that work on a device needs while it is done. libtorch takes what it has not enough of when it is first needed, and keeps it, so
/// that a process grows with every larger batch that occurs; taken beforehand, it is there.</summary>
internal static class WorkingMemory
{
    private const long Small = 1L << 20; // libtorch has two kinds: up to this, and larger
    private const long MostOfSmall = 64L << 20;

    /// <summary>Takes some for the calling thread's current stream, for good.</summary>
    /// <param name="device">A CUDA device.</param>
    /// <param name="share">The part of what is free, at most 1.</param>
    /// <param name="least">The fewest bytes: with less hardly a request could be served.</param>
    /// <param name="most">The most bytes.</param>
    /// <exception cref="ExternalException">There are not even the fewest.</exception>
    public static void Reserve(Device device, double share, long least, long most)
    {
        if (CudaMemory.Free(device.index) is not { } free)
            return;
        using var scope = NewDisposeScope();
        var bytes = Math.Clamp((long)(free * share), least, most);
        try
        {
            empty([bytes], ScalarType.Byte, device);
        }
        catch (ExternalException) when (bytes > least)
        {
            bytes = least; // others were faster
            empty([bytes], ScalarType.Byte, device);
        }
        try
        {
            for (var taken = 0L; taken < Math.Min(bytes / 8, MostOfSmall); taken += Small)
                empty([Small], ScalarType.Byte, device);
        }
        catch (ExternalException)
        {
            // What is needed is taken when it is needed.
        }
    }

    /// <summary>Lets libtorch give back what it keeps for later of what has ended, which it does by itself only where a request of its own
    /// fails.</summary>
    public static void Release(Device device)
    {
        const long more = 1L << 50; // bytes, than any device has
        try
        {
            empty([more], ScalarType.Byte, device).Dispose();
        }
        catch (ExternalException)
        {
            // It has looked for them everywhere.
        }
    }
}
