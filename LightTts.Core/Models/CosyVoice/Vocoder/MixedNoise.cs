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

    /// <summary>Numbers after which it begins anew: the reference's table ends after 300 s.</summary>
    public int Table => 300 * sampleRate;

    /// <summary>Where numbers from a start on lie, so many of them: good until the next call. Behind <see cref="Table"/> they go on at the
    /// beginning.</summary>
    public (Tensor Table, long Start) Locate(long start, long count)
    {
        lock (noise)
        {
            start %= Table;
            Hold(start + count);
            return (_mixed, start);
        }
    }

    public void Dispose() => _mixed.Dispose();

    private Tensor From(long start, long count)
    {
        start %= Table;
        if (start + count > Table)
            return cat([From(start, Table - start), From(0, count - (Table - start))]);
        Hold(start + count);
        return _mixed.narrow(0, start, count);
    }

    private void Hold(long samples)
    {
        if (Math.Min(samples, Table) > _samples)
            Extend(Math.Min(Table, Math.Max(samples, _samples * 3 / 2)));
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
