namespace LightTts.Text;

/// <summary>How English is read.</summary>
/// <param name="British">As in the United Kingdom, otherwise as in the United States.</param>
/// <param name="NameEmoji">Whether emoji are read by their names, otherwise they are left out.</param>
internal sealed record ReadingOptions(bool British = false, bool NameEmoji = false)
{
    /// <summary>American, without emoji.</summary>
    public static ReadingOptions Default { get; } = new();
}
