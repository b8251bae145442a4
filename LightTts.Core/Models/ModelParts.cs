namespace LightTts.Models;

/// <summary>A model as the pipeline uses it: one part for each stage.</summary>
/// <param name="Encoder">Text and voices.</param>
/// <param name="Styles">The language models over the one decoder, at least one; the first is that of requests that name none.</param>
/// <param name="Decoder">Audio.</param>
internal sealed record ModelParts(ISpeechEncoder Encoder, IReadOnlyList<StyleModel> Styles, ISpeechDecoder Decoder);

/// <summary>A language model under the name by which requests ask for it.</summary>
internal sealed record StyleModel(string Name, ILanguageModel Model);
