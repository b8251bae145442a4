namespace LightTts;

/// <summary>How far a download has come.</summary>
/// <param name="File">The file that this is about, as the hub names it.</param>
/// <param name="FileBytes">Bytes of it that are on the disk.</param>
/// <param name="FileLength">Its length.</param>
/// <param name="Bytes">Bytes of all files that are on the disk, those that were there before included.</param>
/// <param name="TotalBytes">Bytes of all files.</param>
public readonly record struct ModelPullProgress(string File, long FileBytes, long FileLength, long Bytes, long TotalBytes)
{
    /// <summary>How much of all is there, 0 to 1.</summary>
    public double Fraction => TotalBytes == 0 ? 1 : Math.Clamp((double)Bytes / TotalBytes, 0, 1);
}
