using System.Globalization;

namespace LightTts.Samples.Speak;

/// <summary>A bar on the terminal: how much of the text has been spoken.</summary>
internal sealed class SpeakProgress(bool hidden) : IDisposable
{
    private const int Width = 30;

    private long _characters;
    private long _before;
    private int _part;
    private bool _shown;

    /// <summary>Another part of the text begins.</summary>
    public void Add(int characters)
    {
        _before = _characters;
        _part = characters;
        _characters += characters;
    }

    public void Report(AudioChunk chunk, double audioSeconds)
    {
        if (hidden)
            return;
        var done = (_before + Math.Min(chunk.TextRange.End.Value, _part)) / (double)Math.Max(1, _characters);
        var filled = (int)(done * Width);
        var line = string.Create(CultureInfo.InvariantCulture,
            $"\r[{new string('#', filled)}{new string('.', Width - filled)}] {done * 100,3:0} %  {audioSeconds:0.0} s of audio ");
        Console.Error.Write(line);
        _shown = true;
    }

    public void Dispose()
    {
        if (_shown)
            Console.Error.Write("\r" + new string(' ', Width + 40) + "\r");
        _shown = false;
    }
}
