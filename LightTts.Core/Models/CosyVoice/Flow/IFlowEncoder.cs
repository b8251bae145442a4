using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Speech tokens to what the velocity estimator is conditioned on, at frame rate.</summary>
internal interface IFlowEncoder : IDisposable
{
    /// <summary>Frames that a token becomes.</summary>
    int FramesPerToken { get; }

    /// <summary>Tokens that must follow a token before its frames are final.</summary>
    int Lookahead { get; }

    /// <summary>Encodes tokens.</summary>
    /// <param name="tokens">With <paramref name="final"/> all are encoded, otherwise the last <see cref="Lookahead"/> are context only.</param>
    /// <param name="final">Whether nothing follows.</param>
    /// <param name="streaming">Whether a token's encoding may depend on those before the end of its own chunk only; otherwise on all.</param>
    /// <param name="tail">What the call for the tokens just before these gave back; null at the start.</param>
    /// <returns>Encodings [frames, MelBands] in the caller's dispose scope, and the tail
    /// for the next call, which is the caller's to dispose.</returns>
    (Tensor Mu, FlowTail Tail) Encode(ReadOnlySpan<int> tokens, bool final, bool streaming, FlowTail? tail);
}

/// <summary>What an encoder carries from the tokens of one call to those of the next.</summary>
/// <param name="tensors">Whatever the encoder keeps; owned from here on.</param>
internal sealed class FlowTail(params Tensor[] tensors) : IDisposable
{
    private readonly Tensor[] _tensors = [.. tensors.Select(tensor => tensor.DetachFromDisposeScope())];

    public Tensor this[int index] => _tensors[index];

    public long Bytes { get; } = tensors.Sum(tensor => tensor.NumberOfElements * tensor.ElementSize);

    public void Dispose()
    {
        foreach (var tensor in _tensors)
            tensor.Dispose();
    }
}
