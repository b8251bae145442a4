using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using LightTts.Weights;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The causal vocoder's parts, read from hift.pt.</summary>
internal sealed class HiftNetwork : IDisposable
{
    private readonly VocoderSlots _slots = new();

    private HiftNetwork(WeightReader reader, VocoderConfig config, VocoderNoise noise)
    {
        Config = config;
        Upsampling = config.UpsampleRates.Aggregate(1, (a, b) => a * b);
        SamplesPerFrame = Upsampling * config.IstftHop;
        Spectrum = new VocoderSpectrum(_slots, config, reader.Device.Device);
        F0 = new VocoderF0(_slots, reader, config, VocoderReach.Past);
        Source = new VocoderSource(_slots, reader, config, noise, SamplesPerFrame);
        Decoder = new HiftGenerator(_slots, reader, config, Spectrum.Bins, VocoderReach.Past);
        Parameters = reader.Parameters;
    }

    public VocoderConfig Config { get; }

    /// <summary>Frames of the output's spectrum in one of the mel.</summary>
    public int Upsampling { get; }

    public int SamplesPerFrame { get; }

    /// <summary>Numbers in the weights.</summary>
    public long Parameters { get; }

    /// <summary>Tails that layers keep.</summary>
    public int Slots => _slots.Count;

    public VocoderF0 F0 { get; }

    public VocoderSource Source { get; }

    public VocoderSpectrum Spectrum { get; }

    public HiftGenerator Decoder { get; }

    /// <inheritdoc cref="HiftVocoder.Load"/>
    public static HiftNetwork Load(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise)
    {
        var reader = new WeightReader(archive, device, key => key.Replace("generator.", "", StringComparison.Ordinal));
        var network = new HiftNetwork(reader, config, noise);
        try
        {
            reader.Complete();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        F0.Dispose();
        Source.Dispose();
        Spectrum.Dispose();
        Decoder.Dispose();
    }
}
