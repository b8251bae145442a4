using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>A model on one device, with the engine that serves it.</summary>
/// <param name="Engine">Its stages.</param>
/// <param name="LoadStyle">Loads a further language model onto the same device, from its weights.</param>
internal sealed record Replica(SynthesisEngine Engine, Func<string, CancellationToken, ILanguageModel> LoadStyle);
