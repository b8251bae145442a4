using System.Globalization;

namespace LightTts.Samples.Speak;

/// <summary>A line on the terminal: how much of a model is here, how fast it comes, and how long it will take; and a line each for what failed and
/// is tried again.</summary>
/// <param name="hidden">Whether nothing is shown.</param>
/// <param name="moves">Whether there is a terminal, on which a line can be written again.</param>
internal sealed class PullBar(bool hidden, bool moves) : IProgress<ModelPullProgress>, IDisposable
{
    private const int Width = 30;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private long _started;
    private long _before;
    private long _shown;

    public void Report(ModelPullProgress value)
    {
        if (hidden)
            return;
        lock (_lock)
        {
            if (value.Trouble is { } trouble)
            {
                Clear();
                Console.Error.WriteLine($"speak: {trouble}");
                return;
            }
            if (!moves)
                return;
            var now = TimeProvider.System.GetTimestamp();
            if (_started == 0)
                (_started, _before) = (now, value.Bytes);
            if (_shown != 0 && value.Bytes < value.TotalBytes && TimeProvider.System.GetElapsedTime(_shown, now) < s_pace)
                return;
            _shown = now;
            var rate = (value.Bytes - _before) / Math.Max(0.001, TimeProvider.System.GetElapsedTime(_started, now).TotalSeconds);
            var left = rate > 0 && value.Bytes < value.TotalBytes ? TimeSpan.FromSeconds((value.TotalBytes - value.Bytes) / rate) : TimeSpan.Zero;
            var filled = (int)(value.Fraction * Width);
            Console.Error.Write(string.Create(CultureInfo.InvariantCulture,
                $"\r[{new string('#', filled)}{new string('.', Width - filled)}] {value.Bytes / 1e6:N0} of {value.TotalBytes / 1e6:N0} MB, "
                + $"{rate / 1e6:N1} MB/s, {left:h\\:mm\\:ss} left "));
        }
    }

    public void Dispose()
    {
        lock (_lock)
            Clear();
    }

    private void Clear()
    {
        if (_shown != 0)
            Console.Error.Write("\r" + new string(' ', Width + 50) + "\r");
        _shown = 0;
    }
}
