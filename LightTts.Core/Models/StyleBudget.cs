using System.Globalization;

namespace LightTts.Models;

/// <summary>The memory that language models beside the first may take together. Thread-safe.</summary>
/// <param name="limit">Bytes; null: as much as there is.</param>
internal sealed class StyleBudget(long? limit)
{
    private readonly Lock _gate = new();
    private long _used;

    /// <summary>Takes the room of a model before it is loaded.</summary>
    /// <returns>Gives it back when disposed, once or more often.</returns>
    /// <exception cref="TtsModelLoadException">There is not so much left.</exception>
    public IDisposable Take(string path, long bytes)
    {
        lock (_gate)
        {
            if (limit is { } most && bytes > most - _used)
                throw new TtsModelLoadException(string.Create(CultureInfo.InvariantCulture,
                    $"The style in '{path}' needs {bytes:N0} bytes (weights and key/value cache); {most - _used:N0} of {most:N0} are free "
                    + $"(TtsPipelineOptions.{nameof(TtsPipelineOptions.StyleBytes)}). Remove a style first (RemoveStyleAsync), or raise the limit."));
            _used += bytes;
        }
        return new Room(this, bytes);
    }

    private sealed class Room(StyleBudget budget, long bytes) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0)
                return;
            lock (budget._gate)
                budget._used -= bytes;
        }
    }
}
