namespace LightTts;

/// <summary>How far a download has come.</summary>
/// <param name="File">The file that this is about, as the hub names it; empty where it is about <see cref="Trouble"/>.</param>
/// <param name="FileBytes">Bytes of it that are on the disk.</param>
/// <param name="FileLength">Its length.</param>
/// <param name="Bytes">Bytes of all files that are on the disk, those that were there before included.</param>
/// <param name="TotalBytes">Bytes of all files.</param>
public readonly record struct ModelPullProgress(string File, long FileBytes, long FileLength, long Bytes, long TotalBytes)
{
    /// <summary>What has just failed, why, and when it is tried again, as a sentence for people.</summary>
    /// <value>Null where bytes have come.</value>
    public string? Trouble { get; init; }

    /// <summary>How much of all is there, 0 to 1.</summary>
    public double Fraction => TotalBytes == 0 ? (Trouble is null ? 1 : 0) : Math.Clamp((double)Bytes / TotalBytes, 0, 1);
}
