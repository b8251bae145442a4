namespace LightTts.Pipeline;

/// <summary>Tells the language stage whether the decode stage is at work, where both share a device, and when to look again.</summary>
/// <param name="wakeLanguage">Wakes the language stage.</param>
internal sealed class DecodeLoad(Action wakeLanguage)
{
    private int _isBusy;
    private int _isWatched;

    /// <summary>Says whether a part of a pass is about to be done, or nothing; on the decode thread.</summary>
    public void Set(bool isBusy)
    {
        Interlocked.Exchange(ref _isBusy, isBusy ? 1 : 0);
        if (Interlocked.Exchange(ref _isWatched, 0) != 0)
            wakeLanguage();
    }

    /// <summary>Whether the decode stage is at work; where it is, the language stage is woken before its next part, or at its end.</summary>
    public bool Watch()
    {
        Interlocked.Exchange(ref _isWatched, 1); // before the look: what is set after it wakes
        return Volatile.Read(ref _isBusy) != 0;
    }
}
