namespace LightTts.Text;

/// <summary>A piece of a text that is spoken as one utterance.</summary>
/// <param name="Text">As it is spoken, normalised.</param>
/// <param name="Tokens">Token ids of it, at least one.</param>
/// <param name="Source">The part of the original text that it comes from, in UTF-16 code units.</param>
internal sealed record TextSegment(string Text, int[] Tokens, Range Source);
