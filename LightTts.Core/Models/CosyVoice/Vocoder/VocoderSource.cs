using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;
using Numerics = System.Numerics.Tensors.TensorPrimitives;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The harmonic source: sines of the fundamental and its overtones plus fixed
/// noise, mixed to one signal (reference: SineGen2, SourceModuleHnNSF, causal).</summary>
/// <remarks>
/// The reference holds the phase over each frame, so the mixed sines are one number a
/// frame; and since the mix is linear, the noise table is mixed once as it is
/// read, which leaves 1 number a sample of it instead of 9.
/// </remarks>
internal sealed class VocoderSource : IDisposable
{
    private readonly VocoderConfig _config;
    private readonly VocoderNoise _noise;
    private readonly long _samplesPerFrame;
    private readonly int _phaseSlot;
    private readonly Tensor _mix;
    private readonly Tensor _bias;
    private readonly Tensor _multiples;
    private readonly float[] _mixValues;
    private readonly Device _device;
    private Tensor _mixedNoise;
    private long _noiseSamples;

    public VocoderSource(VocoderSlots slots, WeightReader reader, VocoderConfig config, VocoderNoise noise, long samplesPerFrame)
    {
        (_config, _noise, _samplesPerFrame, _phaseSlot, _device) = (config, noise, samplesPerFrame, slots.Next(), reader.Device.Device);
        var harmonics = config.Harmonics + 1;
        _mix = reader.Take("m_source.l_linear.weight", 1, harmonics);
        _bias = reader.Take("m_source.l_linear.bias", 1);
        _mixValues = _mix.ToSingles();
        _multiples = Scalars.Range(1, harmonics + 1, _device).view(1, harmonics, 1).clone();
        _mixedNoise = empty([0], ScalarType.Float32, _device);
    }

    /// <summary>Frequencies [B, 1, n] in 64 bits -> samples [B, 1, n * samples per frame].</summary>
    public Tensor Run(VocoderPass pass, Tensor f0)
    {
        var f = f0.to(ScalarType.Float32);
        var rate = (f * _multiples).div_(Scalars.Of((long)_config.SampleRate)).remainder_(Scalars.One); // [B, 9, n] turns a sample
        // The running sums are in 64 bits and every output is rounded, as the reference's cumsum is on the CPU.
        var sums = cumsum(rate.to(ScalarType.Float64), 2);
        if (pass.Tail(_phaseSlot) is { } before)
            sums = sums.PlusInPlace(before);
        if (sums.shape[2] > 0)
            pass.Keep(_phaseSlot, sums.narrow(2, sums.shape[2] - 1, 1).clone());
        var phase = sums.to(ScalarType.Float32).mul_(Scalars.Of(2L)).mul_(Scalars.Of((double)MathF.PI)).mul_(Scalars.Of(_samplesPerFrame));
        var voiced = f.gt(Scalars.Of(_config.VoicedThreshold)).to(ScalarType.Float32); // [B, 1, n]
        var sines = phase.sin_().mul_(Scalars.Of(_config.NsfAlpha)).mul_(voiced);
        var held = matmul(_mix, sines).PlusInPlace(_bias); // [B, 1, n]
        var amplitude = voiced.mul(Scalars.Of(_config.NsfSigma)).PlusInPlace(voiced.neg().add_(Scalars.One).mul_(Scalars.Of(_config.NsfAlpha / 3)));
        var (rows, frames) = (f.shape[0], f.shape[2]);
        var noise = Noise(pass.SourceSamples, frames * _samplesPerFrame).view(rows, frames, _samplesPerFrame);
        return (amplitude.view(rows, frames, 1) * noise).PlusInPlace(held.view(rows, frames, 1)).tanh_().view(rows, 1, frames * _samplesPerFrame);
    }

    public void Dispose()
    {
        _mix.Dispose();
        _bias.Dispose();
        _multiples.Dispose();
        _mixedNoise.Dispose();
    }

    // [B, count]. Rows of other batches may ask at the same time.
    private Tensor Noise(ReadOnlySpan<long> starts, long count)
    {
        var rows = new Tensor[starts.Length];
        for (var i = 0; i < rows.Length; i++)
            lock (_noise)
                rows[i] = NoiseFrom(starts[i], count);
        return stack(rows);
    }

    private Tensor NoiseFrom(long start, long count)
    {
        // The reference's table ends after 300 s; longer utterances begin it anew.
        var table = 300L * _config.SampleRate;
        start %= table;
        if (start + count > table)
            return cat([NoiseFrom(start, table - start), NoiseFrom(0, count - (table - start))]);
        if (start + count > _noiseSamples)
            Extend(Math.Min(table, Math.Max(start + count, _noiseSamples * 3 / 2)));
        return _mixedNoise.narrow(0, start, count);
    }

    private void Extend(long wanted)
    {
        var second = _config.SampleRate;
        var missing = (wanted - _noiseSamples + second - 1) / second * second;
        var mixed = new float[missing];
        var values = new float[second * _mixValues.Length];
        for (var done = 0; done < missing; done += second)
        {
            _noise.Next(values);
            for (var i = 0; i < second; i++)
                mixed[done + i] = Numerics.Dot<float>(values.AsSpan(i * _mixValues.Length, _mixValues.Length), _mixValues);
        }
        using var old = _mixedNoise;
        using var added = TensorData.FromSingles(mixed, _device, missing);
        _mixedNoise = cat([old, added]).DetachFromDisposeScope();
        _noiseSamples += missing;
    }
}
