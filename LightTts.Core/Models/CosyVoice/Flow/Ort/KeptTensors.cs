using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>Tensors that outlive the dispose scope that they were made in.</summary>
internal sealed class KeptTensors : IDisposable
{
    private readonly List<Tensor> _kept = [];

    public Tensor Keep(Tensor tensor)
    {
        _kept.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    public void Dispose()
    {
        foreach (var tensor in _kept)
            tensor.Dispose();
        _kept.Clear();
    }
}
