using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel spectrogram to samples, in pieces (reference: CausalHiFTGenerator.inference; HiFTNet, arXiv 2309.09493).</summary>
/// <remarks>
/// Each call does the work of its new frames only: every causal layer keeps its tail in
/// the <see cref="VocoderState"/>. The samples of all calls joined equal those of
/// one call over the whole mel. A part of a pass is a step of some frames.
/// </remarks>
internal sealed class HiftVocoder : IVocoder
{
    // Frames that a step takes at the most: small enough for the activations to stay in
    // the processor's cache, and for a long mel not to need gigabytes.
    private const int CpuStepFrames = 50;
    private const int CudaStepFrames = 2000;

    private readonly HiftNetwork _network;
    private readonly TorchDevice _device;

    private HiftVocoder(HiftNetwork network, TorchDevice device, int heldFrames)
    {
        (_network, _device, HeldFrames) = (network, device, heldFrames);
        StepFrames = device.IsCuda ? CudaStepFrames : CpuStepFrames;
    }

    public int SamplesPerFrame => _network.SamplesPerFrame;

    public int HeldFrames { get; }

    internal VocoderConfig Config => _network.Config;

    internal Device Device => _device.Device;

    /// <summary>Numbers in the weights.</summary>
    public long Parameters => _network.Parameters;

    internal int StepFrames { get; set; }

    internal VocoderF0 F0 => _network.F0;

    internal VocoderSource Source => _network.Source;

    internal VocoderSpectrum Spectrum => _network.Spectrum;

    /// <summary>Reads hift.pt.</summary>
    /// <param name="archive">The checkpoint; needed during the call only.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="device">Where it runs. It always computes in 32 bits: its activations reach tens of thousands.</param>
    /// <param name="noise">The noise table; see <see cref="VocoderNoise.OfFreshModel"/>.</param>
    /// <param name="heldFrames">Frames withheld until the last call. The reference withholds 8; what is exactly determined allows 5.</param>
    /// <exception cref="TtsModelLoadException">The checkpoint does not hold what the configuration describes.</exception>
    public static HiftVocoder Load(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise, int heldFrames = 8) =>
        new(HiftNetwork.Load(archive, config, device, noise), device, heldFrames);

    public IVocoderState CreateState(MelPieces pieces = default) => new VocoderState(_network.Slots);

    /// <summary>Opens a pass; rows with equal frame counts run as one batch.</summary>
    public IDecodePass Begin(IReadOnlyList<VocoderRow> rows) => new HiftPass(this, rows);

    public void Dispose() => _network.Dispose();

    /// <summary>Frames [B, bands, n] -> samples [B, m].</summary>
    internal Tensor Step(VocoderPass pass, Tensor mel)
    {
        using var scope = NewDisposeScope();
        var source = _network.Source.Run(pass, _network.F0.Run(pass, mel));
        var features = _network.Decoder.Pre(pass, mel);
        var spectrum = _network.Spectrum.Forward(pass, source, features.shape[2] * _network.Upsampling + (pass.First ? 1 : 0));
        var samples = _network.Spectrum.Inverse(pass, _network.Decoder.Run(pass, features, spectrum));
        pass.Advance(source.shape[2]);
        return samples.MoveToOuterDisposeScope();
    }
}
