using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Where a convolution's context lies.</summary>
internal enum VocoderReach
{
    /// <summary>Before: a tail in the pass.</summary>
    Past,

    /// <summary>Behind: the same convolution delayed; it begins without any context and is flushed with zeros at the end.</summary>
    Future,

    /// <summary>Half of it on either side, zeros beyond the ends: for whole calls only.</summary>
    Both,
}

/// <summary>A 1-d convolution, causal with its left context in the pass (reference: CausalConv1d, CausalConv1dDownSample), or symmetric.</summary>
internal sealed class VocoderConv : IDisposable
{
    private readonly Tensor? _weight; // [outputs, inputs, kernel]; null where they are kept in another order
    private readonly Tensor? _bias;
    private readonly long _outputs;
    private readonly long _kernel;
    private readonly long _stride;
    private readonly long _dilation;
    private readonly VocoderReach _reach;
    private readonly long _initial;
    private readonly long _border;
    private readonly SimdConv? _simd;
    private readonly Linear? _product;
    private readonly Func<Tensor, Tensor> _valid;

    /// <param name="slots">Gives the tail its slot.</param>
    /// <param name="weight">[outputs, inputs, kernel]; owned from here on.</param>
    /// <param name="bias">[outputs]; owned from here on.</param>
    /// <param name="stride">Input steps of one output step.</param>
    /// <param name="dilation">Input steps between the kernel's taps.</param>
    /// <param name="reach">Where its context lies.</param>
    public VocoderConv(VocoderSlots slots, Tensor weight, Tensor? bias, long stride = 1, long dilation = 1, VocoderReach reach = VocoderReach.Past)
    {
        (_weight, _bias, _stride, _dilation, _reach, Slot) = (weight, bias, stride, dilation, reach, slots.Next());
        (_outputs, _kernel) = (weight.shape[0], weight.shape[2]);
        Context = (_kernel - 1) * dilation;
        // A strided layer lags by stride - 1 inputs until its first output (the source has one frame more than the mel's share).
        _initial = reach == VocoderReach.Future ? 0 : stride > 1 ? stride - 1 : Context;
        _border = stride > 1 ? stride / 2 : Context / 2;
        // Not torch's own on the CPU: oneDNN pads channels to 16 (and gives wrong sums
        // for 18 or 20 of them on some processors), and small inputs go to NNPACK,
        // which writes a warning to the console at every call where it is not supported.
        if (weight.device_type != DeviceType.CPU)
        {
            _valid = joined => conv1d(joined, _weight!, _bias, _stride, 0, _dilation);
        }
        else if (weight.dtype == ScalarType.Float32)
        {
            _simd = Simd();
            _valid = Vectorised;
            // They are not looked at again: the weights are kept once.
            weight.Dispose();
            bias?.Dispose();
            (_weight, _bias) = (null, null);
        }
        else
        {
            _product = new TorchLinear(weight.flatten(1), bias?.view(-1), weight.dtype);
            _valid = Unfolded;
        }
    }

    /// <summary>[outputs, inputs, kernel]: of one on a device; on the CPU they are kept in another order.</summary>
    public Tensor Weight => _weight ?? throw new InvalidOperationException("the weights are kept in another order");

    /// <summary>[outputs]; null: none. Of one on a device.</summary>
    public Tensor? Bias => _bias;

    /// <summary>Where the pass keeps the tail.</summary>
    public int Slot { get; }

    /// <summary>Input steps beside the current one that an output depends on.</summary>
    public long Context { get; }

    public long Stride => _stride;

    public long Dilation => _dilation;

    /// <summary>Input steps of the context that lie before the current one.</summary>
    public long Left => _reach == VocoderReach.Both ? _border : Context;

    /// <summary>[B, inputs, n] -> [B, outputs, n / stride].</summary>
    public Tensor Run(VocoderPass pass, Tensor input)
    {
        // Zeros that the convolution itself adds cost no launch; those behind the end make columns that nobody wants.
        if (pass.IsWindow && _reach == VocoderReach.Past && _stride == 1 && _simd is null && _product is null)
            return conv1d(input, _weight!, _bias, 1, Context, _dilation).narrow(2, 0, input.shape[2]);
        return Valid(_reach == VocoderReach.Both
            ? _border == 0 ? input : pad(input, [_border, _border])
            : pass.Join(Slot, input, _initial, Context + 1 - _stride));
    }

    /// <summary>The convolution's input with its context, and the room of n columns
    /// behind <see cref="Left"/> left to fill; <see cref="Close"/> follows
    /// when it is filled. For a stride of 1.</summary>
    /// <returns>[B, channels, Context + n].</returns>
    public Tensor Open(VocoderPass pass, Tensor like)
    {
        if (_reach != VocoderReach.Both)
            return pass.Open(Slot, like, Context);
        var joined = empty([like.shape[0], like.shape[1], Context + like.shape[2]], like.dtype, like.device);
        using var before = joined.narrow(2, 0, _border);
        using var behind = joined.narrow(2, joined.shape[2] - _border, _border);
        before.zero_();
        behind.zero_();
        return joined;
    }

    /// <summary>Keeps the end of an input as the next tail, where there is a next.</summary>
    public void Close(VocoderPass pass, Tensor joined)
    {
        if (_reach != VocoderReach.Both)
            pass.KeepEnd(Slot, joined, Context);
    }

    /// <summary>The convolution alone, of input with its context before it: [B, inputs, n * stride + kernel - stride] -> [B, outputs, n].</summary>
    public Tensor Valid(Tensor joined) => _valid(joined);

    /// <summary>On the CPU, without allocation: context and input [inputs, n + context] ->
    /// the n columns of <paramref name="result"/> from <paramref name="column"/> on.</summary>
    public unsafe void Valid(Tensor joined, Tensor result, long column, Tensor? add = null, SimdSnake? snake = null)
    {
        var columns = (int)(joined.shape[1] - (_kernel / _stride - 1) * _dilation);
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
        var result = empty([x.shape[0], _outputs, x.shape[2] - (_kernel / _stride - 1) * _dilation], ScalarType.Float32);
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
        var windows = joined.unfold(2, _kernel, 1).transpose(1, 2).flatten(2);
        return _product!.Apply(windows).transpose(1, 2);
    }

    // [B, inputs, n * stride] -> [B, inputs * stride, n]: a strided convolution is one of stride 1 over the input's phases.
    private Tensor Phases(Tensor input)
    {
        var (rows, channels, n) = (input.shape[0], input.shape[1], input.shape[2] / _stride);
        return input.reshape(rows, channels, n, _stride).transpose(2, 3).reshape(rows, channels * _stride, n);
    }

    private unsafe SimdConv Simd()
    {
        var (outputs, inputs, kernel) = ((int)_outputs, (int)_weight!.shape[1], (int)_kernel);
        if (kernel % _stride != 0)
            throw new TtsModelLoadException($"A vocoder convolution of kernel {kernel} and stride {_stride} is not supported: the kernel must be a "
            + $"multiple of the stride.");
        using var phases = Phases(_weight).contiguous();
        return new SimdConv(new ReadOnlySpan<float>(phases.Pointer(), checked((int)phases.NumberOfElements)), _bias is null ? []
            : _bias.ToSingles(), outputs, inputs * (int)_stride, kernel / (int)_stride, (int)_dilation);
    }

    public void Dispose()
    {
        _weight?.Dispose();
        _bias?.Dispose();
        _product?.Dispose();
    }

    /// <summary>Reads a weight-normed layer and folds it: w = g * v / |v|, the norm over all dimensions but the first.</summary>
    public static (Tensor Weight, Tensor Bias) Fold(WeightReader reader, string name, long outputs, long inputs, long kernel,
        ScalarType type = ScalarType.Float32) =>
        (FoldWeight(reader, name, outputs, inputs, kernel, type), reader.Take($"{name}.bias", type, outputs));

    /// <summary>The weight alone: [first, second, kernel].</summary>
    public static Tensor FoldWeight(WeightReader reader, string name, long first, long second, long kernel, ScalarType type = ScalarType.Float32)
    {
        // The norm in the layer's own type: the reference casts g and v, not the folded weight.
        using var g = reader.Take($"{name}.parametrizations.weight.original0", type, first, 1, 1);
        using var v = reader.Take($"{name}.parametrizations.weight.original1", type, first, second, kernel);
        using var square = v.square();
        using var sum = square.sum([1, 2], keepdim: true);
        using var norm = sum.sqrt();
        using var scale = g / norm;
        return v * scale;
    }
}
