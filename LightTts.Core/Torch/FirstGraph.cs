using System.Runtime.InteropServices;
using LightTts.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>A small graph on each device that stays for the process's life. With the first graph of a device libtorch takes memory for the state of
/// its random numbers, and it gives it back with the last one; its exception, where it finds none, would end the process.</summary>
internal static class FirstGraph
{
    private static readonly Dictionary<int, (CudaGraph Graph, Tensor Written)> Kept = [];

    /// <summary>Records it, while there is memory; the first time only.</summary>
    /// <param name="device">Number of a CUDA device.</param>
    /// <exception cref="ExternalException">The device has too little memory, or is lost.</exception>
    public static void Record(int device)
    {
        using var stream = CudaStream.Enter(device, urgent: false);
        if (stream is null || !CudaGraph.CanCapture(device))
            return;
        lock (Kept)
        {
            if (Kept.ContainsKey(device))
                return;
            using var scope = NewDisposeScope();
            // libtorch takes a whole piece of memory for it, of which enough is left for the few bytes that it will ask for.
            var written = zeros(1, ScalarType.Int64, new Device(DeviceType.CUDA, device));
            var graph = CudaGraph.CaptureWarm(new CudaGraphPool(), () => written.fill_(Scalars.Of(1L)));
            Kept.Add(device, (graph, written.DetachFromDisposeScope()));
        }
    }
}
