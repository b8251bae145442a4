using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The harmonic source: sines of the fundamental and its overtones plus fixed
/// noise, mixed to one signal (reference: SineGen2, SourceModuleHnNSF, causal).</summary>
/// <remarks>
/// The reference holds the phase over each frame, so the mixed sines are one number a frame.
/// </remarks>
internal sealed class VocoderSource : IDisposable
{
    private readonly VocoderConfig _config;
    private readonly MixedNoise _noise;
    private readonly long _samplesPerFrame;
    private readonly int _phaseSlot;
    private readonly Tensor _mix;
    private readonly Tensor _bias;
    private readonly Tensor _multiples;

    public VocoderSource(VocoderSlots slots, WeightReader reader, VocoderConfig config, VocoderNoise noise, long samplesPerFrame)
    {
        (_config, _samplesPerFrame, _phaseSlot) = (config, samplesPerFrame, slots.Next());
        var harmonics = config.Harmonics + 1;
        _mix = reader.Take("m_source.l_linear.weight", 1, harmonics);
        _bias = reader.Take("m_source.l_linear.bias", 1);
        _multiples = Scalars.Range(1, harmonics + 1, reader.Device.Device).view(1, harmonics, 1).clone();
        _noise = new MixedNoise(noise, _mix.ToSingles(), config.SampleRate, reader.Device.Device);
    }

    /// <summary>What <see cref="Noise(ReadOnlySpan{long}, long)"/> reads.</summary>
    internal MixedNoise Mixed => _noise;

    /// <summary>What mixes the harmonics: [1, harmonics] and [1].</summary>
    internal (Tensor Mix, Tensor Bias) Weights => (_mix, _bias);

    /// <summary>Frequencies [B, 1, n] in 64 bits -> samples [B, 1, n * samples per frame].</summary>
    public Tensor Run(VocoderPass pass, Tensor f0)
    {
        var f = f0.to(ScalarType.Float32);
        // The running sums are in 64 bits and every output is rounded, as the reference's cumsum is on the CPU.
        var sums = cumsum(Turns(f), 2);
        if (pass.Tail(_phaseSlot) is { } before)
            sums = sums.PlusInPlace(before);
        if (sums.shape[2] > 0)
            pass.Keep(_phaseSlot, sums.narrow(2, sums.shape[2] - 1, 1).clone());
        return Mix(f, sums, Noise(pass.SourceSamples, f.shape[2]));
    }

    /// <summary>Frequencies [B, 1, n] in 32 bits -> turns a sample of each harmonic, [B, harmonics, n] in 64 bits.</summary>
    public Tensor Turns(Tensor f) =>
        (f * _multiples).div_(Scalars.Of((long)_config.SampleRate)).remainder_(Scalars.One).to(ScalarType.Float64);

    /// <summary>Noise of so many frames of rows that begin at these samples: [B, n * samples per frame].</summary>
    public Tensor Noise(ReadOnlySpan<long> starts, long frames) => _noise.Read(starts, frames * _samplesPerFrame);

    /// <summary>The source.</summary>
    /// <param name="f">Frequencies [B, 1, n] in 32 bits.</param>
    /// <param name="sums">Turns of the harmonics summed over the frames, [B, harmonics, n] in 64 bits.</param>
    /// <param name="noise">[B, n * samples per frame].</param>
    /// <returns>[B, 1, n * samples per frame].</returns>
    public Tensor Mix(Tensor f, Tensor sums, Tensor noise)
    {
        var phase = sums.to(ScalarType.Float32).mul_(Scalars.Of(2L)).mul_(Scalars.Of((double)MathF.PI)).mul_(Scalars.Of(_samplesPerFrame));
        var voiced = f.gt(Scalars.Of(_config.VoicedThreshold)).to(ScalarType.Float32); // [B, 1, n]
        var sines = phase.sin_().mul_(Scalars.Of(_config.NsfAlpha)).mul_(voiced);
        var held = matmul(_mix, sines).PlusInPlace(_bias); // [B, 1, n]
        var amplitude = voiced.mul(Scalars.Of(_config.NsfSigma)).PlusInPlace(voiced.neg().add_(Scalars.One).mul_(Scalars.Of(_config.NsfAlpha / 3)));
        var (rows, frames) = (f.shape[0], f.shape[2]);
        return (amplitude.view(rows, frames, 1) * noise.view(rows, frames, _samplesPerFrame)).PlusInPlace(held.view(rows, frames, 1)).tanh_()
            .view(rows, 1, frames * _samplesPerFrame);
    }

    public void Dispose()
    {
        _mix.Dispose();
        _bias.Dispose();
        _multiples.Dispose();
        _noise.Dispose();
    }
}
