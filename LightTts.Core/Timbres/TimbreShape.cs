using System.Numerics.Tensors;

namespace LightTts.Timbres;

/// <summary>What a model takes as a voice; features of another shape (from a file that lies, say) never reach it.</summary>
/// <param name="MelBands">Numbers in a frame of the mel spectrogram.</param>
/// <param name="EmbeddingSize">Numbers in the speaker embedding.</param>
/// <param name="SpeechTokens">Size of the speech vocabulary.</param>
internal sealed record TimbreShape(int MelBands, int EmbeddingSize, int SpeechTokens)
{
    /// <summary>Why the features cannot be used, or null where they can.</summary>
    public static string? Fault(TimbreFeatures features, TimbreShape? shape)
    {
        if (features.MelFrames < 0 || (features.MelFrames == 0 ? features.Mel.Length != 0 : features.Mel.Length % features.MelFrames != 0))
            return "its mel spectrogram is not a whole number of frames";
        if (!TensorPrimitives.IsFiniteAll<float>(features.Mel) || !TensorPrimitives.IsFiniteAll<float>(features.Embedding))
            return "it holds numbers that are not finite";
        if (shape is null)
            return null;
        if (features.MelFrames > 0 && features.Mel.Length / features.MelFrames != shape.MelBands)
            return $"its mel spectrogram has {features.Mel.Length / features.MelFrames} bands, the model takes {shape.MelBands}";
        if (features.Embedding.Length != shape.EmbeddingSize)
            return $"its speaker embedding has {features.Embedding.Length} numbers, the model takes {shape.EmbeddingSize}";
        foreach (var token in features.SpeechTokens)
            if ((uint)token >= (uint)shape.SpeechTokens)
                return $"it holds speech token {token}, the model has {shape.SpeechTokens}";
        return null;
    }
}
