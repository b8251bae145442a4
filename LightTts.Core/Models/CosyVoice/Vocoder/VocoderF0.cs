using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel to fundamental frequency, causal or symmetric (reference: CausalConvRNNF0Predictor, ConvRNNF0Predictor), in 64 bits: its error grows
/// with time in the phase.</summary>
/// <remarks>The reference computes the symmetric one in 32 bits, which makes the phase depend on the order of its sums.</remarks>
internal sealed class VocoderF0 : IDisposable
{
    /// <summary>Frames behind a frame that its frequency depends on, where it is causal.</summary>
    public const int LookRight = 3;

    private readonly List<VocoderConv> _convs = [];
    private readonly VocoderConv _classifier;
    private readonly long _bands;
    private readonly int _lookRight;

    public VocoderF0(VocoderSlots slots, WeightReader reader, VocoderConfig config, VocoderReach reach)
    {
        _lookRight = reach == VocoderReach.Both ? 0 : LookRight;
        (VocoderReach Reach, int Kernel) first = reach == VocoderReach.Both ? (reach, 3) : (VocoderReach.Future, LookRight + 1);
        long channels = config.F0Channels;
        _bands = config.MelBands;
        for (var i = 0; i < 5; i++)
        {
            var (inputs, kernel) = i == 0 ? (_bands, first.Kernel) : (channels, 3);
            var (weight, bias) = VocoderConv.Fold(reader, $"f0_predictor.condnet.{2 * i}", channels, inputs, kernel, ScalarType.Float64);
            _convs.Add(new VocoderConv(slots, weight, bias, reach: i == 0 ? first.Reach : reach));
        }
        using var classifier = reader.Take("f0_predictor.classifier.weight", ScalarType.Float64, 1, channels);
        _classifier = new VocoderConv(slots, classifier.view(1, channels, 1).clone(),
            reader.Take("f0_predictor.classifier.bias", ScalarType.Float64, 1));
    }

    /// <summary>Convolutions with ELU behind them, and the last one, for those who compute them otherwise.</summary>
    internal (IReadOnlyList<VocoderConv> Convs, VocoderConv Classifier) Layers => (_convs, _classifier);

    /// <summary>Frames before a frame that its frequency depends on.</summary>
    public long Context => _convs.Skip(1).Sum(conv => conv.Context);

    /// <summary>Frequencies in Hz of the frames that are determined: causal, 3 fewer than the mel
    /// frames so far, all at the end. [B, bands, n] -> [B, 1, m].</summary>
    public Tensor Run(VocoderPass pass, Tensor mel)
    {
        var x = mel.to(ScalarType.Float64);
        if (pass.Final && _lookRight > 0)
            x = cat([x, zeros([x.shape[0], _bands, _lookRight], x.dtype, x.device)], 2);
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
