namespace LightTts.Pipeline;

/// <summary>A message to the decode stage: the utterance has entered the language stage's batch; its tokens come by
/// <see cref="Pipeline.Utterance.Tokens"/>. The default value only wakes the stage.</summary>
internal readonly record struct DecodeMessage(Utterance? Utterance);
