using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The harmonic source of whole calls: sines of the fundamental and its overtones whose phase runs straight from the middle of one frame to
/// the middle of the next, plus noise, mixed to one signal (reference: SineGen2, SourceModuleHnNSF, not causal).</summary>
internal sealed class InterpolatedSource : IDisposable
{
    private readonly VocoderConfig _config;
    private readonly long _samplesPerFrame;
    private readonly Tensor _mix;
    private readonly Tensor _bias;
    private readonly Tensor _multiples;
    private readonly MixedNoise _noise;

    public InterpolatedSource(WeightReader reader, VocoderConfig config, VocoderNoise noise, long samplesPerFrame)
    {
        (_config, _samplesPerFrame) = (config, samplesPerFrame);
        var harmonics = config.Harmonics + 1;
        _mix = reader.Take("m_source.l_linear.weight", 1, harmonics);
        _bias = reader.Take("m_source.l_linear.bias", 1);
        _multiples = Scalars.Range(1, harmonics + 1, reader.Device.Device).view(1, harmonics, 1).clone();
        _noise = new MixedNoise(noise, _mix.ToSingles(), config.SampleRate, reader.Device.Device);
    }

    /// <summary>Frequencies to samples.</summary>
    /// <param name="f0">In Hz, [B, 1, n].</param>
    /// <param name="starts">Of each row, where in the noise it begins.</param>
    /// <returns>[B, 1, n samples per frame].</returns>
    public Tensor Run(Tensor f0, ReadOnlySpan<long> starts)
    {
        f0 = f0.to(ScalarType.Float32);
        var samples = f0.shape[2] * _samplesPerFrame;
        var rate = (f0 * _multiples).div_(Scalars.Of((long)_config.SampleRate)).remainder_(Scalars.One); // [B, 9, n] turns a sample
        // The running sums are in 64 bits and every output is rounded, as the reference's cumsum is on the CPU.
        var phase = cumsum(rate.to(ScalarType.Float64), 2).to(ScalarType.Float32)
            .mul_(Scalars.Of(2L)).mul_(Scalars.Of((double)MathF.PI)).mul_(Scalars.Of(_samplesPerFrame));
        phase = interpolate(phase, [samples], mode: InterpolationMode.Linear, align_corners: false); // [B, 9, samples]
        var voiced = f0.gt(Scalars.Of(_config.VoicedThreshold)).to(ScalarType.Float32).repeat_interleave(_samplesPerFrame, 2); // [B, 1, samples]
        var sines = matmul(_mix, phase.sin_()).mul_(Scalars.Of(_config.NsfAlpha)).mul_(voiced).PlusInPlace(_bias);
        var amplitude = voiced.mul(Scalars.Of(_config.NsfSigma)).PlusInPlace(voiced.neg().add_(Scalars.One).mul_(Scalars.Of(_config.NsfAlpha / 3)));
        return amplitude.mul_(_noise.Read(starts, samples).unsqueeze(1)).PlusInPlace(sines).tanh_();
    }

    public void Dispose()
    {
        _mix.Dispose();
        _bias.Dispose();
        _multiples.Dispose();
        _noise.Dispose();
    }
}
