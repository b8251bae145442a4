using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>How a stage's thread uses libtorch.</summary>
/// <param name="Threads">Threads of one operation on the CPU.</param>
internal sealed record TorchThread(int Threads)
{
    /// <summary>Opens inference mode on the calling thread and sets its number of threads, until the result is disposed on it.</summary>
    public IDisposable Enter()
    {
        set_num_threads(Threads);
        return inference_mode();
    }
}
