namespace LightTts.Timbres;

/// <summary>How a voice came to be known.</summary>
internal enum TimbreOrigin
{
    /// <summary>It was learnt from audio that was at hand.</summary>
    Learnt,

    /// <summary>It was taken from a <c>.timbre</c> file: its identity is the file's
    /// claim, which is not believed where the audio itself is at hand.</summary>
    Imported,

    /// <summary>It is one of the model's own, learnt from the audio that comes with the model: lists leave it out.</summary>
    Preset,
}
