namespace LightTts.Pipeline;

/// <summary>The speech that a job is to speak in another voice: a clip, or pieces that come one after the other.</summary>
/// <param name="Clip">The clip; null where pieces come.</param>
/// <param name="Source">The pieces; null where there is a clip.</param>
/// <param name="OnTaken">Called when the decode stage has taken tokens, so that more can be made.</param>
internal sealed record SpeechInput(AudioClip? Clip, AudioSource? Source, Action OnTaken);
