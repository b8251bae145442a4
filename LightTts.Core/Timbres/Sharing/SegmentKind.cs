namespace LightTts.Timbres.Sharing;

/// <summary>What a record of the segment is.</summary>
internal enum SegmentKind
{
    Voice = 1,
    Name = 2,
}
