using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel to fundamental frequency (reference: CausalConvRNNF0Predictor), in 64 bits: its error grows with time in the phase.</summary>
internal sealed class VocoderF0 : IDisposable
{
    private const int LookRight = 3;

    private readonly List<VocoderConv> _convs = [];
    private readonly VocoderConv _classifier;
    private readonly long _bands;

    public VocoderF0(VocoderSlots slots, WeightReader reader, VocoderConfig config)
    {
        long channels = config.F0Channels;
        _bands = config.MelBands;
        for (var i = 0; i < 5; i++)
        {
            var (inputs, kernel) = i == 0 ? (_bands, LookRight + 1) : (channels, 3);
            var (weight, bias) = VocoderConv.Fold(reader, $"f0_predictor.condnet.{2 * i}", channels, inputs, kernel, ScalarType.Float64);
            _convs.Add(new VocoderConv(slots, weight, bias, looksRight: i == 0));
        }
        using var classifier = reader.Take("f0_predictor.classifier.weight", ScalarType.Float64, 1, channels);
        _classifier = new VocoderConv(slots, classifier.view(1, channels, 1).clone(),
            reader.Take("f0_predictor.classifier.bias", ScalarType.Float64, 1));
    }

    /// <summary>Frequencies in Hz of the frames that are determined: 3 fewer than the mel
    /// frames so far, all at the end. [B, bands, n] -> [B, 1, m] in 64 bits.</summary>
    public Tensor Run(VocoderPass pass, Tensor mel)
    {
        var x = mel.to(ScalarType.Float64);
        if (pass.Final)
            x = cat([x, zeros([x.shape[0], _bands, LookRight], x.dtype, x.device)], 2);
        foreach (var conv in _convs)
            x = conv.Run(pass, x).elu_(Scalars.One, Scalars.One, Scalars.One);
        return _classifier.Run(pass, x).abs_();
    }

    public void Dispose()
    {
        _convs.ForEach(conv => conv.Dispose());
        _classifier.Dispose();
    }
}
