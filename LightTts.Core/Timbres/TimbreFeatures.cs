namespace LightTts.Timbres;

/// <summary>What the models need to speak in a voice, extracted once from its reference audio.</summary>
/// <param name="PromptText">The transcript of the reference audio as the language model wants it (with the model's instruction prefix), or null for
/// cross-lingual use.</param>
/// <param name="SpeechTokens">Speech tokens of the reference audio, 25 a second.</param>
/// <param name="Mel">Prompt mel spectrogram, [<paramref name="MelFrames"/>, MelBands] row-major, natural log, 50 frames a second.</param>
/// <param name="MelFrames">Frames in <paramref name="Mel"/>; 2 for each speech token after the reference's alignment cut.</param>
/// <param name="Embedding">Speaker embedding (not normalised), 192 numbers for CAM++.</param>
/// <remarks>A preset speaker with an embedding only (the reference's sft mode) has empty
/// <paramref name="SpeechTokens"/> and <paramref name="Mel"/>.</remarks>
internal sealed record TimbreFeatures(string? PromptText, int[] SpeechTokens, float[] Mel, int MelFrames, float[] Embedding);
