using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Nearest up-sampling followed by a causal convolution (reference: CausalConv1dUpsample), as one convolution at the input's rate.</summary>
/// <remarks>
/// The kernel sees each input value up to <c>rate</c> times in a row; summing those taps
/// beforehand leaves a kernel of 3 for each of the <c>rate</c> output
/// phases, with a fifth to a half of the products and without the up-sampled input.
/// </remarks>
internal sealed class VocoderUpsample : IDisposable
{
    private readonly VocoderConv _conv;
    private readonly long _rate;
    private readonly long _outputs;

    public VocoderUpsample(VocoderSlots slots, WeightReader reader, string name, long outputs, long inputs, int kernel, int rate)
    {
        (_rate, _outputs) = (rate, outputs);
        var (weight, bias) = VocoderConv.Fold(reader, name, outputs, inputs, kernel);
        using (weight)
        using (bias)
            _conv = new VocoderConv(slots, Phases(weight, kernel, rate), bias.repeat_interleave(rate));
    }

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
    private static Tensor Phases(Tensor weight, int kernel, int rate)
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
}
