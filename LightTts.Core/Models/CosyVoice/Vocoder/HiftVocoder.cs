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

    private readonly VocoderConfig _config;
    private readonly TorchDevice _device;
    private readonly VocoderSlots _slots = new();
    private readonly HiftGenerator _decoder;

    private HiftVocoder(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise, int heldFrames)
    {
        (_config, _device, HeldFrames) = (config, device, heldFrames);
        var reader = new WeightReader(archive, device, key => key.Replace("generator.", "", StringComparison.Ordinal));
        Upsampling = config.UpsampleRates.Aggregate(1, (a, b) => a * b);
        SamplesPerFrame = Upsampling * config.IstftHop;
        StepFrames = device.IsCuda ? CudaStepFrames : CpuStepFrames;
        Spectrum = new VocoderSpectrum(_slots, config, device.Device);
        F0 = new VocoderF0(_slots, reader, config, VocoderReach.Past);
        Source = new VocoderSource(_slots, reader, config, noise, SamplesPerFrame);
        _decoder = new HiftGenerator(_slots, reader, config, Spectrum.Bins, VocoderReach.Past);
        Parameters = reader.Parameters;
        try
        {
            reader.Complete();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int SamplesPerFrame { get; }

    public int HeldFrames { get; }

    internal VocoderConfig Config => _config;

    internal Device Device => _device.Device;

    /// <summary>Numbers in the weights.</summary>
    public long Parameters { get; }

    internal int StepFrames { get; set; }

    internal int Upsampling { get; }

    internal VocoderF0 F0 { get; }

    internal VocoderSource Source { get; }

    internal VocoderSpectrum Spectrum { get; }

    /// <summary>Reads hift.pt.</summary>
    /// <param name="archive">The checkpoint; needed during the call only.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="device">Where it runs. It always computes in 32 bits: its activations reach tens of thousands.</param>
    /// <param name="noise">The noise table; see <see cref="VocoderNoise.OfFreshModel"/>.</param>
    /// <param name="heldFrames">Frames withheld until the last call. The reference withholds 8; what is exactly determined allows 5.</param>
    /// <exception cref="TtsModelLoadException">The checkpoint does not hold what the configuration describes.</exception>
    public static HiftVocoder Load(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise, int heldFrames = 8) =>
        new(archive, config, device, noise, heldFrames);

    public IVocoderState CreateState(MelPieces pieces = default) => new VocoderState(_slots.Count);

    /// <summary>Opens a pass; rows with equal frame counts run as one batch.</summary>
    public IDecodePass Begin(IReadOnlyList<VocoderRow> rows) => new HiftPass(this, rows);

    public void Dispose()
    {
        F0.Dispose();
        Source.Dispose();
        Spectrum.Dispose();
        _decoder.Dispose();
    }

    /// <summary>Frames [B, bands, n] -> samples [B, m].</summary>
    internal Tensor Step(VocoderPass pass, Tensor mel)
    {
        using var scope = NewDisposeScope();
        var source = Source.Run(pass, F0.Run(pass, mel));
        var features = _decoder.Pre(pass, mel);
        var spectrum = Spectrum.Forward(pass, source, features.shape[2] * Upsampling + (pass.First ? 1 : 0));
        var samples = Spectrum.Inverse(pass, _decoder.Run(pass, features, spectrum));
        pass.Advance(source.shape[2]);
        return samples.MoveToOuterDisposeScope();
    }
}
