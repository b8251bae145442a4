namespace LightTts;

/// <summary>Loads a model directory and serves requests on three stages: encode, language, decode.</summary>
public sealed class TtsPipeline
{
}
