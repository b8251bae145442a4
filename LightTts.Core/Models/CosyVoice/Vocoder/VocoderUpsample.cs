using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Up-sampling as one convolution at the input's rate, with as many outputs for each channel as the rate has phases.</summary>
internal sealed class VocoderUpsample : IDisposable
{
    private readonly VocoderConv _conv;
    private readonly long _rate;
    private readonly long _outputs;

    private VocoderUpsample(VocoderSlots slots, Tensor phases, Tensor bias, long outputs, int rate, VocoderReach reach)
    {
        (_rate, _outputs) = (rate, outputs);
        using (bias)
            _conv = new VocoderConv(slots, phases, bias.repeat_interleave(rate), reach: reach);
    }

    /// <summary>Nearest up-sampling followed by a causal convolution (reference: CausalConv1dUpsample).</summary>
    /// <remarks>
    /// The kernel sees each input value up to <c>rate</c> times in a row; summing those taps
    /// beforehand leaves a kernel of 3 for each of the <c>rate</c> output
    /// phases, with a fifth to a half of the products and without the up-sampled input.
    /// </remarks>
    public static VocoderUpsample Nearest(VocoderSlots slots, WeightReader reader, string name, long outputs, long inputs, int kernel, int rate)
    {
        var (weight, bias) = VocoderConv.Fold(reader, name, outputs, inputs, kernel);
        using (weight)
            return new VocoderUpsample(slots, NearestPhases(weight, kernel, rate), bias, outputs, rate, VocoderReach.Past);
    }

    /// <summary>A transposed convolution (reference: ConvTranspose1d with a padding of half of what its kernel is longer than its stride).</summary>
    public static VocoderUpsample Transposed(VocoderSlots slots, WeightReader reader, string name, long outputs, long inputs, int kernel, int rate)
    {
        if (kernel < rate || (kernel - rate) % 2 != 0)
            throw new TtsModelLoadException($"A transposed convolution of kernel {kernel} and stride {rate} is not supported: the kernel must be "
                + "longer by an even number.");
        using var weight = VocoderConv.FoldWeight(reader, name, inputs, outputs, kernel);
        return new VocoderUpsample(slots, TransposedPhases(weight, kernel, rate), reader.Take($"{name}.bias", outputs), outputs, rate,
            VocoderReach.Both);
    }

    /// <summary>The convolution, its outputs [outputs, rate].</summary>
    internal (VocoderConv Conv, long Rate) Layers => (_conv, _rate);

    /// <summary>Input steps beside the current one that an output depends on.</summary>
    public long Context => _conv.Context;

    /// <summary>[B, inputs, n] -> [B, outputs, n * rate].</summary>
    public Tensor Run(VocoderPass pass, Tensor input)
    {
        var phases = _conv.Run(pass, input); // [B, outputs * rate, n]
        var (rows, n) = (phases.shape[0], phases.shape[2]);
        return phases.view(rows, _outputs, _rate, n).transpose(2, 3).reshape(rows, _outputs, n * _rate);
    }

    public void Dispose() => _conv.Dispose();

    // [outputs, inputs, kernel] -> [outputs * rate, inputs, taps]: tap k of phase p reads
    // input floor((p - (kernel - 1) + k) / rate) relative to the current one.
    private static Tensor NearestPhases(Tensor weight, int kernel, int rate)
    {
        var reach = (kernel - 1 + rate - 1) / rate;
        using var fold = zeros([kernel, rate, reach + 1], weight.dtype);
        for (var k = 0; k < kernel; k++)
            for (var p = 0; p < rate; p++)
                fold[k, p, reach + (int)Math.Floor((p - (kernel - 1) + k) / (double)rate)] = tensor(1f);
        using var onDevice = fold.to(weight.device);
        using var phases = einsum("oik,kpt->opit", weight, onDevice);
        return phases.reshape(weight.shape[0] * rate, weight.shape[1], reach + 1).contiguous().clone();
    }

    // [inputs, outputs, kernel] -> [outputs * rate, inputs, taps]: output q * rate + p gets tap k of input q + i, where p + padding - k = i * rate.
    private static Tensor TransposedPhases(Tensor weight, int kernel, int rate)
    {
        var padding = (kernel - rate) / 2;
        var reach = Math.Max((rate - 1 + padding) / rate, (kernel - 1 - padding) / rate);
        using var fold = zeros([kernel, rate, 2 * reach + 1], weight.dtype);
        for (var k = 0; k < kernel; k++)
            for (var p = 0; p < rate; p++)
                if ((p + padding - k) % rate == 0)
                    fold[k, p, reach + (p + padding - k) / rate] = tensor(1f);
        using var onDevice = fold.to(weight.device);
        using var phases = einsum("iok,kpt->opit", weight, onDevice);
        return phases.reshape(weight.shape[1] * rate, weight.shape[0], 2 * reach + 1).contiguous().clone();
    }
}
