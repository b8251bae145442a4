namespace LightTts.Models;

/// <summary>A step needs more KV blocks than are free. Nothing was changed; the scheduler,
/// which counts blocks before it admits rows, is expected to prevent it.</summary>
internal sealed class KvBlocksExhaustedException(int needed, int free)
    : InvalidOperationException($"The step needs {needed} more KV blocks, {free} are free. Feed fewer rows, reset a sequence, or give the cache more "
    + $"blocks.")
{
    public int Needed { get; } = needed;

    public int Free { get; } = free;
}
