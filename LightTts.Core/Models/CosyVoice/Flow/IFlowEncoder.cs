using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Speech tokens to what the velocity estimator is conditioned on, at frame rate.</summary>
internal interface IFlowEncoder : IDisposable
{
    /// <summary>Frames that a token becomes.</summary>
    int FramesPerToken { get; }

    /// <summary>Tokens that must follow a token before its frames are final.</summary>
    int Lookahead { get; }

    /// <summary>Encodes the tokens of several utterances, none of which changes another's numbers by more than rounding.</summary>
    /// <param name="rows">The utterances.</param>
    /// <returns>Of each its encodings [frames, MelBands] in the caller's dispose scope, and the tail
    /// for the next call, which is the caller's to dispose.</returns>
    IReadOnlyList<(Tensor Mu, FlowTail Tail)> Encode(IReadOnlyList<FlowTokens> rows);
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
