using LightTts.Cuda;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>How a stage's thread uses libtorch.</summary>
/// <param name="Threads">Threads of one operation on the CPU.</param>
/// <param name="CudaDevice">The CUDA device on which the stage gets a stream of its own; null on the CPU.</param>
internal sealed record TorchThread(int Threads, int? CudaDevice = null)
{
    /// <summary>Opens inference mode on the calling thread, sets its number of threads and makes its stream current, until the result is
    /// disposed on it.</summary>
    /// <param name="urgent">Whether the stage's work on the device goes before that of others.</param>
    public IDisposable Enter(bool urgent = false)
    {
        set_num_threads(Threads);
        return new Scope(inference_mode(), CudaDevice is { } device ? CudaStream.Enter(device, urgent) : null);
    }

    private sealed class Scope(IDisposable mode, CudaStream? stream) : IDisposable
    {
        public void Dispose()
        {
            stream?.Dispose();
            mode.Dispose();
        }
    }
}
