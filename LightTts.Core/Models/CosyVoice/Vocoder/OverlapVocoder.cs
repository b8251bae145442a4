using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel spectrogram to samples where every layer looks both ways (reference: HiFTGenerator, and token2wav of CosyVoice2Model).</summary>
/// <remarks>
/// A piece of an utterance cannot be computed exactly before what follows is known. So each call begins with the last frames of the one before, with
/// the source that it had there, and the samples that both calls made are faded from one into the other; until then they are withheld. Calls end
/// where the mel's pieces end, not where a pass did, and the noise goes on from call to call, where the reference takes whatever has come by then and
/// draws anew: so the samples do not depend on time, load and company.
/// </remarks>
internal sealed class OverlapVocoder : IVocoder
{
    // Frames that a tile has: its activations stay in the processor's cache, and what it computes beside them costs a quarter more.
    private const int CpuTileFrames = 150;
    private const int CudaTileFrames = 2000;

    private readonly VocoderSlots _slots = new();
    private readonly bool _asReference;

    private OverlapVocoder(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise, bool asReference)
    {
        (Config, Device, _asReference) = (config, device.Device, asReference);
        var reader = new WeightReader(archive, device, key => key.Replace("generator.", "", StringComparison.Ordinal));
        Upsampling = config.UpsampleRates.Aggregate(1, (a, b) => a * b);
        SamplesPerFrame = Upsampling * config.IstftHop;
        Margin = OverlapCall.MarginOf(config);
        TileFrames = device.IsCuda ? CudaTileFrames : CpuTileFrames;
        Fade = new OverlapFade(HeldFrames * SamplesPerFrame);
        Spectrum = new VocoderSpectrum(_slots, config, device.Device);
        F0 = new VocoderF0(_slots, reader, config, VocoderReach.Both);
        Source = new InterpolatedSource(reader, config, noise, SamplesPerFrame);
        Generator = new HiftGenerator(_slots, reader, config, Spectrum.Bins, VocoderReach.Both);
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

    /// <summary>Frames that two calls have in common (mel_cache_len).</summary>
    public int HeldFrames => 8;

    internal VocoderConfig Config { get; }

    internal Device Device { get; }

    internal VocoderF0 F0 { get; }

    internal InterpolatedSource Source { get; }

    internal VocoderSpectrum Spectrum { get; }

    internal HiftGenerator Generator { get; }

    internal OverlapFade Fade { get; }

    internal int Upsampling { get; }

    /// <summary>Frames beside a tile that it is computed with.</summary>
    internal int Margin { get; set; }

    internal int TileFrames { get; set; }

    /// <summary>Reads hift.pt.</summary>
    /// <param name="archive">The checkpoint; needed during the call only.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="device">Where it runs, in 32 bits.</param>
    /// <param name="noise">The source's noise, normally distributed.</param>
    /// <param name="asReference">Whether a call takes whatever has come and begins the noise anew, as in the golden fixtures.</param>
    /// <exception cref="TtsModelLoadException">The checkpoint does not hold what the configuration describes.</exception>
    public static OverlapVocoder Load(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise,
        bool asReference = false) =>
        new(archive, config, device, noise, asReference);

    public IVocoderState CreateState(MelPieces pieces = default) => new OverlapState(_asReference ? default : pieces);

    public IDecodePass Begin(IReadOnlyList<VocoderRow> rows) => new OverlapPass(this, rows);

    public void Dispose()
    {
        F0.Dispose();
        Source.Dispose();
        Spectrum.Dispose();
        Generator.Dispose();
    }

    /// <summary>Opens a call over whole mels.</summary>
    /// <param name="mel">[B, bands, n].</param>
    /// <param name="firstFrames">Of each row, the number of its first frame in its utterance.</param>
    /// <param name="known">The source of the first samples, from the call before: [B, 1, m]; or null.</param>
    internal OverlapCall Begin(Tensor mel, ReadOnlySpan<long> firstFrames, Tensor? known)
    {
        var starts = new long[firstFrames.Length];
        for (var i = 0; i < starts.Length; i++)
            starts[i] = _asReference ? 0 : firstFrames[i] * SamplesPerFrame;
        return new OverlapCall(this, mel, starts, known);
    }

    internal VocoderPass NewPass(int rows) =>
        new([.. Enumerable.Range(0, rows).Select(_ => new VocoderState(_slots.Count))]) { Final = true };
}
