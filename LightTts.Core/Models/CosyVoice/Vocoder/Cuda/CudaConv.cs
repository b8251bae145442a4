using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder.Cuda;

/// <summary>A convolution's weights as the kernels take them (convolution.cu).</summary>
internal sealed class CudaConv : IDisposable
{
    // A scaled weight's bound: products with activations of a sixteenth of 65,504 and sums of thousands of them stay far from a float's.
    private const int LargestExponent = 11;

    private readonly Tensor _weight;
    private readonly Tensor _scale;
    private readonly Convolution _shape;

    /// <param name="conv">The layer; it is not kept.</param>
    /// <param name="parts">Planes of halves.</param>
    /// <param name="left">Columns before its own that its first tap reads.</param>
    /// <param name="rate">Its outputs are [outputs, rate]: columns of the result in one of the product.</param>
    public CudaConv(VocoderConv conv, int parts, long left, long rate = 1)
    {
        using var scope = NewDisposeScope();
        var weight = conv.Weight;
        var bias = conv.Bias ?? zeros([weight.shape[0]], ScalarType.Float32, weight.device);
        if (conv.Stride > 1)
            weight = Strided(weight, conv.Stride);
        (weight, bias) = (ByPhases(weight, rate), ByPhases(bias.view(-1, 1, 1), rate).flatten());
        var (all, inputs, taps) = (weight.shape[0], VocoderKernels.Padded(weight.shape[1]), weight.shape[2]);
        var outputs = (all + VocoderKernels.Tile - 1) / VocoderKernels.Tile * VocoderKernels.Tile;
        weight = pad(weight, [0, 0, 0, inputs - weight.shape[1], 0, outputs - all]);
        var factors = Factors(weight);
        _weight = Arranged(weight.mul(factors.view(-1, 1, 1)), parts).DetachFromDisposeScope();
        _scale = cat([factors.reciprocal().mul_(Scalars.Of(16L)), pad(bias, [0, outputs - all])]).DetachFromDisposeScope();
        _shape = new Convolution
        {
            Weight = _weight.Address(), Scale = _scale.Address(), Inputs = inputs, Taps = (int)taps, Dilation = (int)conv.Dilation,
            Left = (int)left, Channels = (int)(all / rate), Rate = (int)rate, Slope = 1,
        };
    }

    /// <summary>Numbers of a column of its input.</summary>
    public int Inputs => _shape.Inputs;

    public int Taps => _shape.Taps;

    /// <summary>Pieces of work of a tile of its result.</summary>
    public int Steps => Inputs * Taps;

    /// <summary>Channels of its result, padded.</summary>
    public int Channels => _shape.Channels;

    /// <summary>Columns of its result in one of the product.</summary>
    public int Rate => _shape.Rate;

    /// <summary>A launch of it, what it reads and writes left open.</summary>
    /// <param name="length">Columns of the input.</param>
    /// <param name="columns">Of the product.</param>
    public Convolution Over(int length, int columns) => _shape with { Length = length, Columns = columns, InputRow = (long)length * Inputs };

    public void Dispose()
    {
        _weight.Dispose();
        _scale.Dispose();
    }

    // [outputs, inputs, taps * stride] -> [outputs, stride * inputs, taps]: of stride 1 over so many columns side by side.
    private static Tensor Strided(Tensor weight, long stride)
    {
        var (outputs, inputs, kernel) = (weight.shape[0], VocoderKernels.Padded(weight.shape[1]), weight.shape[2]);
        return pad(weight, [0, 0, 0, inputs - weight.shape[1]]).view(outputs, inputs, kernel / stride, stride).permute(0, 3, 1, 2)
            .reshape(outputs, stride * inputs, kernel / stride);
    }

    // [outputs * rate, ..] -> [rate * padded outputs, ..].
    private static Tensor ByPhases(Tensor weight, long rate)
    {
        var (outputs, inputs, taps) = (weight.shape[0] / rate, weight.shape[1], weight.shape[2]);
        return pad(weight.view(outputs, rate, inputs, taps), [0, 0, 0, 0, 0, 0, 0, VocoderKernels.Padded(outputs) - outputs]).transpose(0, 1)
            .reshape(-1, inputs, taps);
    }

    // Of each output, the power of two that makes good use of a half's range.
    private static Tensor Factors(Tensor weight)
    {
        using var largest = weight.abs().amax([1, 2]);
        var factors = largest.ToSingles();
        for (var i = 0; i < factors.Length; i++)
            factors[i] = factors[i] is > 0 and < float.PositiveInfinity
                ? MathF.ScaleB(1, Math.Clamp(LargestExponent - MathF.ILogB(factors[i]), -60, 60)) : 1;
        return TensorData.FromSingles(factors, weight.device, factors.Length);
    }

    // [tiles * 64, chunks * 32, taps] -> [tile, chunk, tap, part, 8 channels, lane, halves], as convolution.cu says.
    private static Tensor Arranged(Tensor weight, int parts)
    {
        var (tiles, chunks, taps) = (weight.shape[0] / VocoderKernels.Tile, weight.shape[1] / VocoderKernels.ChannelStep, weight.shape[2]);
        var (first, rest) = Halves(weight);
        var planes = parts == 1 ? first.unsqueeze(0) : stack([first, rest]);
        // part, tile, 32 channels, lane / 8, 8 channels, lane / 4 % 2; chunk, half of it, 8 inputs, lane % 4, input; tap
        return planes.view(parts, tiles, 2, 4, 4, 2, chunks, 2, 2, 4, 2, taps).permute(1, 6, 11, 0, 2, 4, 3, 5, 9, 7, 8, 10).contiguous();
    }

    private static (Tensor High, Tensor Low) Halves(Tensor x)
    {
        var first = x.to(ScalarType.Float16);
        return (first, x.Plus(first.to(ScalarType.Float32).neg_()).to(ScalarType.Float16));
    }
}
