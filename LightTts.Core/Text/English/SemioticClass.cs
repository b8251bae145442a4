namespace LightTts.Text.English;

/// <summary>A class of tokens that are written otherwise than they are read.</summary>
internal abstract class SemioticClass
{
    /// <summary>Reads a token of this class that starts at <paramref name="start"/> and says it.</summary>
    /// <returns>The place after it; 0: no token of this class starts here, and nothing was said.</returns>
    public abstract int Read(Reading reading, int start);
}
