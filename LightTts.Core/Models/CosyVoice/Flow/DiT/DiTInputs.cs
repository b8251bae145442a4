using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>What a pass computes once for all its steps: the input projection's constant part and the rotations.</summary>
/// <param name="Constant">[2, M, Dim]: the conditional row's mu, condition and speaker; the unconditional row's bias.</param>
/// <param name="Rotations">[M, 1, HeadDim / 2] complex, by absolute frame.</param>
internal readonly record struct DiTInputs(Tensor Constant, Tensor Rotations)
{
    /// <summary>Of some utterances, in the caller's dispose scope.</summary>
    public static DiTInputs Prepare(DiTWeights weights, IReadOnlyList<FlowSegment> segments)
    {
        var conditional = segments.Select(s =>
            weights.InputCondMu.Apply(cat([s.Condition, s.Mu], 1)).PlusInPlace(weights.InputSpeaker.Apply(s.Speaker)));
        var constant = cat([.. conditional], 0);
        var positions = cat([.. segments.Select(s => Scalars.Range(s.Start, s.Start + s.Count, constant.device))], 0);
        var angles = positions.unsqueeze(1) * weights.InverseFrequencies; // [M, HeadDim / 2], in 32 bits as in the reference
        return new DiTInputs(stack([constant, weights.InputBias.expand_as(constant)], 0), polar(ones_like(angles), angles).unsqueeze(1));
    }
}
