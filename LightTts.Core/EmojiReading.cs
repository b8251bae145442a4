namespace LightTts;

/// <summary>What becomes of emoji in a text.</summary>
public enum EmojiReading
{
    /// <summary>They are left out.</summary>
    Dropped,

    /// <summary>They are read by their names, in English text; in other languages they are left out all the same.</summary>
    Named,
}
