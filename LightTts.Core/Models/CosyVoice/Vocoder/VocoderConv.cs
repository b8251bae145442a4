using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>A causal 1-d convolution whose left context is a tail in the pass (reference: CausalConv1d, CausalConv1dDownSample).</summary>
/// <remarks>Looking right is the same convolution delayed: it begins without any context and is flushed with zeros at the end.</remarks>
internal sealed class VocoderConv : IDisposable
{
    private readonly long _stride;
    private readonly long _dilation;
    private readonly long _initial;
    private readonly SimdConv? _simd;
    private readonly Linear? _product;
    private readonly Func<Tensor, Tensor> _valid;

    /// <param name="slots">Gives the tail its slot.</param>
    /// <param name="weight">[outputs, inputs, kernel]; owned from here on.</param>
    /// <param name="bias">[outputs]; owned from here on.</param>
    /// <param name="stride">Input steps of one output step.</param>
    /// <param name="dilation">Input steps between the kernel's taps.</param>
    /// <param name="looksRight">Whether the context is the future instead of the past.</param>
    public VocoderConv(VocoderSlots slots, Tensor weight, Tensor? bias, long stride = 1, long dilation = 1, bool looksRight = false)
    {
        (Weight, Bias, _stride, _dilation, Slot) = (weight, bias, stride, dilation, slots.Next());
        Context = (weight.shape[2] - 1) * dilation;
        // A strided layer lags by stride - 1 inputs until its first output (the source has one frame more than the mel's share).
        _initial = looksRight ? 0 : stride > 1 ? stride - 1 : Context;
        // Not torch's own on the CPU: oneDNN pads channels to 16 (and gives wrong sums
        // for 18 or 20 of them on some processors), and small inputs go to NNPACK,
        // which writes a warning to the console at every call where it is not supported.
        if (weight.device_type != DeviceType.CPU)
        {
            _valid = joined => conv1d(joined, Weight, Bias, _stride, 0, _dilation);
        }
        else if (weight.dtype == ScalarType.Float32)
        {
            _simd = Simd();
            _valid = Vectorised;
        }
        else
        {
            _product = new TorchLinear(weight.flatten(1), bias?.view(-1), weight.dtype);
            _valid = Unfolded;
        }
    }

    /// <summary>Where the pass keeps the tail.</summary>
    public int Slot { get; }

    public Tensor Weight { get; }

    public Tensor? Bias { get; }

    /// <summary>Input steps beside the current one that an output depends on.</summary>
    public long Context { get; }

    /// <summary>[B, inputs, n] -> [B, outputs, n / stride].</summary>
    public Tensor Run(VocoderPass pass, Tensor input)
    {
        return Valid(pass.Join(Slot, input, _initial, Context + 1 - _stride));
    }

    /// <summary>The convolution alone, of input with its context before it: [B, inputs, n * stride + kernel - stride] -> [B, outputs, n].</summary>
    public Tensor Valid(Tensor joined) => _valid(joined);

    /// <summary>On the CPU, without allocation: context and input [inputs, n + context] ->
    /// the columns of <paramref name="result"/> from <paramref name="column"/> on.</summary>
    public unsafe void Valid(Tensor joined, Tensor result, long column, Tensor? add = null, SimdSnake? snake = null)
    {
        var columns = (int)(result.shape[1] - column);
        if (columns == 0)
            return;
        var x = joined.Pointer();
        var y = result.Pointer() + column;
        var plus = add is null ? null : add.Pointer();
        var (xStride, yStride) = (joined.shape[1], result.shape[1]);
        SimdWork.Split(get_num_threads(), columns, SimdConv.Tile, (from, to) => _simd!.Run(x, xStride, y, yStride, from, to, plus, columns, snake));
    }

    private Tensor Vectorised(Tensor joined)
    {
        var x = (_stride == 1 ? joined : Phases(joined)).contiguous();
        var result = empty([x.shape[0], Weight.shape[0], x.shape[2] - (Weight.shape[2] / _stride - 1) * _dilation], ScalarType.Float32);
        for (var row = 0; row < x.shape[0]; row++)
        {
            using var from = x[row];
            using var to = result[row];
            Valid(from, to, 0);
        }
        return result;
    }

    // As one matrix product over windows, for 64 bits: [B, inputs, n + context] -> [B, n, inputs * kernel] -> [B, outputs, n].
    private Tensor Unfolded(Tensor joined)
    {
        var windows = joined.unfold(2, Weight.shape[2], 1).transpose(1, 2).flatten(2);
        return _product!.Apply(windows).transpose(1, 2);
    }

    // [B, inputs, n * stride] -> [B, inputs * stride, n]: a strided convolution is one of stride 1 over the input's phases.
    private Tensor Phases(Tensor input)
    {
        var (rows, channels, n) = (input.shape[0], input.shape[1], input.shape[2] / _stride);
        return input.reshape(rows, channels, n, _stride).transpose(2, 3).reshape(rows, channels * _stride, n);
    }

    private SimdConv Simd()
    {
        var (outputs, inputs, kernel) = ((int)Weight.shape[0], (int)Weight.shape[1], (int)Weight.shape[2]);
        if (kernel % _stride != 0)
            throw new TtsModelLoadException($"A vocoder convolution of kernel {kernel} and stride {_stride} is not supported: the kernel must be a "
            + $"multiple of the stride.");
        using var phases = Phases(Weight).contiguous();
        return new SimdConv(phases.ToSingles(), Bias is null ? []
            : Bias.ToSingles(), outputs, inputs * (int)_stride, kernel / (int)_stride, (int)_dilation);
    }

    public void Dispose()
    {
        Weight.Dispose();
        Bias?.Dispose();
        _product?.Dispose();
    }

    /// <summary>Reads a weight-normed layer and folds it: w = g * v / |v|, the norm over all dimensions but the first.</summary>
    public static (Tensor Weight, Tensor Bias) Fold(WeightReader reader, string name, long outputs, long inputs, long kernel,
        ScalarType type = ScalarType.Float32)
    {
        // The norm in the layer's own type: the reference casts g and v, not the folded weight.
        using var g = reader.Take($"{name}.parametrizations.weight.original0", type, outputs, 1, 1);
        using var v = reader.Take($"{name}.parametrizations.weight.original1", type, outputs, inputs, kernel);
        using var square = v.square();
        using var sum = square.sum([1, 2], keepdim: true);
        using var norm = sum.sqrt();
        using var scale = g / norm;
        return (v * scale, reader.Take($"{name}.bias", type, outputs));
    }
}
