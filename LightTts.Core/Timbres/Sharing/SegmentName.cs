namespace LightTts.Timbres.Sharing;

/// <summary>What the segment says about a name.</summary>
internal enum SegmentName
{
    /// <summary>Nothing: it was never bound, or it made room for others.</summary>
    Unknown,

    /// <summary>It stands for a voice.</summary>
    Bound,

    /// <summary>Its voice was removed.</summary>
    Removed,
}
