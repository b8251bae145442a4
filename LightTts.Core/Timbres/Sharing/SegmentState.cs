namespace LightTts.Timbres.Sharing;

/// <summary>What has become of a mapped segment.</summary>
internal enum SegmentState
{
    /// <summary>It is the one that all processes use.</summary>
    Current,

    /// <summary>Another file has taken its place, or it was deleted. What was read from it is good.</summary>
    Replaced,

    /// <summary>Its size or its header is not what it was.</summary>
    Damaged,
}
