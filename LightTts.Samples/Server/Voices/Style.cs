using LightTts.Extensions;

namespace LightTts.Samples.Server.Voices;

/// <summary>A model under the name that clients know it by.</summary>
/// <param name="Name">The name.</param>
/// <param name="Pipeline">What speaks.</param>
/// <param name="Host">What is known of it.</param>
/// <param name="Language">Which of the pipeline's language models; null: its default.</param>
internal sealed record Style(string Name, ITtsPipeline Pipeline, ITtsPipelineHost Host, string? Language = null);
