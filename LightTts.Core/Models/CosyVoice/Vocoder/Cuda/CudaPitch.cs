using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder.Cuda;

/// <summary>Fundamental frequencies and summed turns of windows in own kernels (<see cref="VocoderF0"/>, <see cref="VocoderSource"/>).</summary>
internal sealed class CudaPitch : IDisposable
{
    private readonly HiftNetwork _network;
    private readonly PitchKernels _kernels;
    private readonly Device _device;
    private readonly List<Layer> _layers = [];
    private readonly Tensor _classifier;
    private readonly Tensor _classifierBias;

    /// <param name="network">Stays the caller's.</param>
    /// <param name="kernels">The kernels.</param>
    /// <param name="device">Where.</param>
    public CudaPitch(HiftNetwork network, PitchKernels kernels, Device device)
    {
        (_network, _kernels, _device) = (network, kernels, device);
        using var scope = NewDisposeScope();
        var (convs, classifier) = network.F0.Layers;
        var inputs = Multiple(network.Config.MelBands, PitchKernels.InputStep);
        foreach (var conv in convs)
        {
            _layers.Add(Arrange(conv, inputs, _layers.Count == 0 ? 0 : (int)conv.Context, (int)network.F0.Context));
            inputs = _layers[^1].Shape.Outputs;
        }
        var weight = classifier.Weight.flatten();
        _classifier = pad(weight, [0, inputs - weight.shape[0]]).DetachFromDisposeScope();
        _classifierBias = classifier.Bias!.clone().DetachFromDisposeScope();
    }

    /// <summary>Numbers of a frame of the mel, padded.</summary>
    public int Inputs => _layers[0].Shape.Inputs;

    /// <summary>Mel [rows, frames, inputs] in 64 bits, and what the buffers' windows know of its pitch -> all of its pitch, and levels of sines and
    /// noise, [rows, frames, 2].</summary>
    public Tensor Run(nint stream, Tensor mel, HiftWindowBuffers buffers)
    {
        var (rows, frames, config) = (buffers.Rows, buffers.Frames, _network.Config);
        var x = mel;
        foreach (var layer in _layers)
        {
            var y = empty([rows, frames, layer.Shape.Outputs], ScalarType.Float64, _device);
            _kernels.Convolve(stream, (rows, frames), layer.Shape, x.Address(), layer.Weight.Address(), layer.Bias.Address(),
                buffers.Windows.Address(), y.Address());
            x = y;
        }
        var frequencies = empty([rows, frames], ScalarType.Float64, _device);
        _kernels.Frequency(stream, rows * frames, (int)x.shape[2], x.Address(), _classifier.Address(), _classifierBias.Address(),
            frequencies.Address());
        var levels = empty([rows, frames, 2], ScalarType.Float32, _device);
        var (mix, bias) = _network.Source.Weights;
        _kernels.Pitch(stream, (rows, frames, config.Harmonics + 1), frequencies.Address(), buffers.Windows.Address(), mix.Address(),
            bias.Address(), buffers.Pitch.Address(), levels.Address(),
            (config.SampleRate, (float)config.NsfAlpha, (float)config.NsfSigma, (float)config.VoicedThreshold, _network.SamplesPerFrame));
        return levels;
    }

    public void Dispose()
    {
        foreach (var layer in _layers)
        {
            layer.Weight.Dispose();
            layer.Bias.Dispose();
        }
        _classifier.Dispose();
        _classifierBias.Dispose();
    }

    private static int Multiple(long count, int of) => (int)((count + of - 1) / of * of);

    // [outputs, inputs, taps] -> [32 outputs, tap, 8 inputs, 8 outputs, lane, 2], as pitch.cu says.
    private static Layer Arrange(VocoderConv conv, int inputs, int left, int context)
    {
        var (outputs, taps) = (Multiple(conv.Weight.shape[0], PitchKernels.Tile), conv.Weight.shape[2]);
        var weight = pad(conv.Weight, [0, 0, 0, inputs - conv.Weight.shape[1], 0, outputs - conv.Weight.shape[0]]);
        // 32 outputs, 8 outputs, lane / 4; 8 inputs, lane % 4, input; tap
        weight = weight.view(outputs / PitchKernels.Tile, 4, 8, inputs / PitchKernels.InputStep, 4, 2, taps).permute(0, 6, 3, 1, 2, 4, 5)
            .contiguous();
        var bias = pad(conv.Bias!, [0, outputs - conv.Bias!.shape[0]]);
        return new Layer(weight.DetachFromDisposeScope(), bias.DetachFromDisposeScope(), (inputs, outputs, (int)taps, left, context));
    }

    private sealed record Layer(Tensor Weight, Tensor Bias, (int Inputs, int Outputs, int Taps, int Left, int Context) Shape);
}
