namespace LightTts;

/// <summary>Where a voice came from.</summary>
public enum TimbreSource
{
    /// <summary>Its features were extracted from the reference audio just now.</summary>
    Extracted,

    /// <summary>It was found in the segment that the user's processes share.</summary>
    Segment,

    /// <summary>It was found in this process.</summary>
    Process,

    /// <summary>It was found on disk, where named voices are kept.</summary>
    Durable,
}
