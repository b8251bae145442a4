namespace LightTts.Models.CosyVoice.Flow;

/// <summary>An utterance's tokens on their way through an encoder.</summary>
/// <param name="Ids">With <paramref name="Final"/> all are encoded, otherwise the last <see cref="IFlowEncoder.Lookahead"/> are context only.</param>
/// <param name="Final">Whether nothing follows.</param>
/// <param name="Streaming">Whether a token's encoding may depend on those before the end of its own chunk only; otherwise on all.</param>
/// <param name="Tail">What the call for the tokens just before these gave back; null at the start.</param>
internal readonly record struct FlowTokens(ReadOnlyMemory<int> Ids, bool Final, bool Streaming, FlowTail? Tail);
