using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder.Cuda;

/// <summary>Batches of windows in own kernels, from <see cref="HiftWindowBuffers"/> to the same.</summary>
internal sealed class CudaWindows : IDisposable
{
    private readonly HiftNetwork _network;
    private readonly Device _device;
    private readonly VocoderKernels _kernels;
    private readonly CudaPitch _pitch;
    private readonly CudaGenerator _generator;

    private CudaWindows(HiftNetwork network, Device device, VocoderKernels kernels)
    {
        (_network, _device, _kernels) = (network, device, kernels);
        _pitch = new CudaPitch(network, kernels.Pitch, device);
        _generator = new CudaGenerator(network.Decoder, kernels, network.Config, network.Spectrum.Reach, device);
    }

    /// <summary>Null where there are no kernels for such a model or device.</summary>
    /// <param name="network">Stays the caller's.</param>
    /// <param name="device">In bfloat16, what convolutions read has 11 significant bits; otherwise 22. Sums, residuals and what activations are
    /// computed from have 32 bits, the pitch 64.</param>
    public static CudaWindows? TryCreate(HiftNetwork network, TorchDevice device)
    {
        if (!CudaGenerator.Takes(network.Config, network.Spectrum.Bins) || network.Config.Harmonics + 1 > PitchKernels.MostHarmonics)
            return null;
        var parts = device.Compute == ScalarType.BFloat16 ? 1 : 2;
        return OwnKernels.TryLoad(device, VocoderKernels.Sources, VocoderKernels.Definitions(parts)) is { } module
            ? new CudaWindows(network, device.Device, new VocoderKernels(module, parts)) : null;
    }

    /// <summary>Launches the work on the thread's stream, with nothing in it that depends on values.</summary>
    public void Run(HiftWindowBuffers buffers)
    {
        var stream = CudaStream.CurrentHandle(_device.index) ?? 0;
        var (rows, frames, bands, transform) = (buffers.Rows, buffers.Frames, _network.Config.MelBands, _network.Spectrum);
        var mel = empty([_kernels.Parts, rows, frames, _generator.Inputs], ScalarType.Float16, _device);
        var wide = empty([rows, frames, _pitch.Inputs], ScalarType.Float64, _device);
        _kernels.Pack(stream, (rows, bands, frames), buffers.Windows.Address(), mel.Address(), wide.Address());
        var levels = _pitch.Run(stream, wide, buffers);
        var spectra = frames * _network.Upsampling + 1;
        var spectrum = empty([_kernels.Parts, rows, _generator.Lead + spectra, VocoderKernels.ChannelStep], ScalarType.Float16, _device);
        var (forward, inverse, firstScale) = transform.Weights;
        _kernels.Pitch.SourceSpectrum(stream, (rows, frames, _network.SamplesPerFrame, spectra, _generator.Lead), transform.Shape, levels.Address(),
            buffers.Windows.Address(), forward.Address(), _network.Source.Mixed.Table, spectrum.Address());
        var logarithms = _generator.Run(stream, mel, spectrum, buffers.Windows);
        _kernels.Samples(stream, (rows, spectra, _network.Upsampling, frames * _network.SamplesPerFrame), transform.Shape, logarithms.Address(),
            inverse.Address(), firstScale.Address(), buffers.Windows.Address(), buffers.Samples.Address(), (float)_network.Config.AudioLimit);
    }

    public void Dispose()
    {
        _pitch.Dispose();
        _generator.Dispose();
        _kernels.Dispose();
    }
}
