using LightTts.Extensions;

namespace LightTts.Samples.Server.Voices;

/// <summary>A model under the name that clients know it by.</summary>
internal sealed record Style(string Name, ITtsPipeline Pipeline, ITtsPipelineHost Host);
