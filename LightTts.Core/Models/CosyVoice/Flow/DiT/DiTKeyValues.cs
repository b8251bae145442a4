using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Keys (rotated) and values of one layer at one solver step, for both guidance rows, in buffers that grow by half.</summary>
/// <remarks>Each buffer is [2, Heads, Capacity, HeadDim]. Buffers grow one at a time, so
/// growing costs one layer's memory at its peak, not the cache's.</remarks>
internal sealed class DiTKeyValues(int heads, int headDim, ScalarType type, Device device) : IDisposable
{
    private const int Granularity = 64;

    private Tensor? _keys;
    private Tensor? _values;

    public long Bytes { get; private set; }

    private long Capacity => _keys?.shape[2] ?? 0;

    /// <summary>Writes the keys and values of frames from <paramref name="at"/> on and gives back those of all frames to their end.</summary>
    /// <param name="at">Frames that stay as they are.</param>
    /// <param name="keys">[2, Heads, n, HeadDim], any strides.</param>
    /// <param name="values">[2, Heads, n, HeadDim].</param>
    /// <param name="shared">Where the first frames come from while this holds nothing, or null.</param>
    /// <param name="last">Whether nothing will follow, so that room to grow is not needed.</param>
    /// <returns>Views [2, Heads, at + n, HeadDim], which live in the caller's dispose scope.</returns>
    public (Tensor Keys, Tensor Values) Append(int at, Tensor keys, Tensor values, DiTKeyValues? shared, bool last)
    {
        var length = at + keys.shape[2];
        if (Capacity < length)
            Grow(at, length, shared, last);
        _keys!.narrow(2, at, keys.shape[2]).copy_(keys);
        _values!.narrow(2, at, keys.shape[2]).copy_(values);
        return (_keys.narrow(2, 0, length), _values.narrow(2, 0, length));
    }

    public void Dispose()
    {
        _keys?.Dispose();
        _values?.Dispose();
        _keys = _values = null;
        Bytes = 0;
    }

    private void Grow(int keep, long length, DiTKeyValues? shared, bool last)
    {
        var wanted = last ? length : Math.Max(length, Capacity + Capacity / 2);
        wanted = Math.Min((wanted + Granularity - 1) / Granularity * Granularity, Math.Max(length, FlowNoise.Frames));
        _keys = Move(_keys, shared?._keys, keep, wanted);
        _values = Move(_values, shared?._values, keep, wanted);
        Bytes = (_keys.NumberOfElements + _values.NumberOfElements) * _keys.ElementSize;
    }

    private Tensor Move(Tensor? own, Tensor? shared, int keep, long capacity)
    {
        var grown = empty([2, heads, capacity, headDim], type, device).DetachFromDisposeScope();
        if (keep > 0 && (own ?? shared) is { } old)
        {
            using var from = old.narrow(2, 0, keep);
            using var to = grown.narrow(2, 0, keep);
            to.copy_(from).Dispose();
        }
        own?.Dispose();
        return grown;
    }
}
