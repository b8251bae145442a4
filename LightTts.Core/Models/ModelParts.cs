namespace LightTts.Models;

/// <summary>A model as the pipeline uses it: one part for each stage.</summary>
internal sealed record ModelParts(ISpeechEncoder Encoder, ILanguageModel Language, ISpeechDecoder Decoder);
