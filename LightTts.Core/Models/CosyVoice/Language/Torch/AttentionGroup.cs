using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>The sequences that one attention call takes together.</summary>
/// <param name="Start">The first of their packed rows.</param>
/// <param name="Rows">Their packed rows, the same number for each.</param>
/// <param name="Sequences">How many they are.</param>
/// <param name="Slots">[sequences * length] where their keys and values lie, padded to one length.</param>
/// <param name="Mask">What is not seen is minus infinity: [sequences, 1, 1, length] for single rows, [rows, length] for one sequence's.</param>
internal sealed record AttentionGroup(int Start, int Rows, int Sequences, Tensor Slots, Tensor Mask);
