using LightTts.Torch;
using static TorchSharp.torch;
using Numerics = System.Numerics.Tensors.TensorPrimitives;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The source's noise. As harmonics are mixed linearly, it is mixed once as it is read, which leaves 1 number a sample of it instead of
/// 9.</summary>
internal sealed class MixedNoise(VocoderNoise noise, float[] mix, int sampleRate, Device device) : IDisposable
{
    private Tensor _mixed = empty([0], ScalarType.Float32, device).DetachFromDisposeScope();
    private long _samples;

    /// <summary>Rows of so many samples, each from its start on: [B, count]. Several threads may ask at the same time.</summary>
    public Tensor Read(ReadOnlySpan<long> starts, long count)
    {
        var rows = new Tensor[starts.Length];
        for (var i = 0; i < rows.Length; i++)
            lock (noise)
                rows[i] = From(starts[i], count);
        return stack(rows);
    }

    public void Dispose() => _mixed.Dispose();

    private Tensor From(long start, long count)
    {
        // The reference's table ends after 300 s; longer utterances begin it anew.
        var table = 300L * sampleRate;
        start %= table;
        if (start + count > table)
            return cat([From(start, table - start), From(0, count - (table - start))]);
        if (start + count > _samples)
            Extend(Math.Min(table, Math.Max(start + count, _samples * 3 / 2)));
        return _mixed.narrow(0, start, count);
    }

    private void Extend(long wanted)
    {
        var missing = (wanted - _samples + sampleRate - 1) / sampleRate * sampleRate;
        var mixed = new float[missing];
        var values = new float[sampleRate * mix.Length];
        for (var done = 0; done < missing; done += sampleRate)
        {
            noise.Next(values);
            for (var i = 0; i < sampleRate; i++)
                mixed[done + i] = Numerics.Dot<float>(values.AsSpan(i * mix.Length, mix.Length), mix);
        }
        using var old = _mixed;
        using var added = TensorData.FromSingles(mixed, device, missing);
        _mixed = cat([old, added]).DetachFromDisposeScope();
        _samples += missing;
    }
}
