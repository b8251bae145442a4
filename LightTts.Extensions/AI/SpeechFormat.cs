using System.Globalization;
using LightTts.Extensions.Formats;
using Microsoft.Extensions.AI;

namespace LightTts.Extensions.AI;

/// <summary>What a request's options say about its audio: the encoding, what it is called, and how loud it is.</summary>
internal sealed class SpeechFormat
{
    private const string Rate = "sample_rate";
    private const string Depth = "sample_format";
    private const string Bits = "bit_rate";

    private readonly AudioEncoderOptions _encoding;
    private readonly float _volume;

    private SpeechFormat(AudioEncoderOptions encoding, float volume) => (_encoding, _volume) = (encoding, volume);

    /// <summary>The media type; 16-bit PCM as Microsoft.Extensions.AI's other clients call it, its byte order is in the properties.</summary>
    public string MediaType => _encoding is { Format: AudioFormat.Pcm, SampleFormat: PcmSampleFormat.Int16 } ? "audio/l16"
        : AudioFormats.MediaType(_encoding.Format);

    /// <summary>Reads the options, before anything is spoken for them.</summary>
    /// <exception cref="TtsRequestException">They ask for what cannot be done; the message says the cure.</exception>
    public static SpeechFormat Of(string? name, AdditionalPropertiesDictionary? properties, float? volume, AudioFormat usual)
    {
        var format = usual;
        if (name is not null && !AudioFormats.TryParse(name, out format))
            throw new TtsRequestException($"AudioFormat '{name}' is not supported. Use wav, pcm, opus, flac, mp3 or aac, or their media types.");
        if (!AudioFormats.IsAvailable(format))
            throw new TtsRequestException($"AudioFormat '{name}' needs ffmpeg, which is not on the path. Install it, or use wav, pcm, opus or flac.");
        if (volume is { } asked and not (>= 0 and <= 1))
            throw new TtsRequestException(string.Create(CultureInfo.InvariantCulture,
                $"Volume is {asked}; use 0 (silent) to 1 (as the voice speaks), or leave it out."));
        var encoding = new AudioEncoderOptions
        {
            Format = format,
            SampleRate = Number(properties, Rate),
            SampleFormat = DepthOf(properties),
            BitRate = Number(properties, Bits),
        };
        try
        {
            encoding.Validate(1);
        }
        catch (ArgumentException e)
        {
            throw new TtsRequestException(e.Message, e);
        }
        return new SpeechFormat(encoding, volume ?? 1);
    }

    /// <summary>Starts to encode.</summary>
    public AudioEncoder CreateEncoder(Stream destination, int sampleRate) => AudioEncoder.Create(destination, sampleRate, _encoding);

    /// <summary>The samples as loud as they were asked for.</summary>
    public ReadOnlyMemory<float> Scale(ReadOnlyMemory<float> samples)
    {
        if (_volume == 1)
            return samples;
        var scaled = new float[samples.Length];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = samples.Span[i] * _volume;
        return scaled;
    }

    /// <summary>What a listener must know of the audio; of bare samples, all of it.</summary>
    public AdditionalPropertiesDictionary Properties(int sampleRate)
    {
        var properties = new AdditionalPropertiesDictionary { [Rate] = _encoding.OutputRate(sampleRate), ["channels"] = 1 };
        if (_encoding.Format is AudioFormat.Wav or AudioFormat.Pcm or AudioFormat.Flac)
            properties["bits_per_sample"] = _encoding.SampleFormat switch
            {
                PcmSampleFormat.UInt8 => 8,
                PcmSampleFormat.Int16 => 16,
                PcmSampleFormat.Int24 => 24,
                _ => 32,
            };
        if (_encoding.Format is AudioFormat.Wav or AudioFormat.Pcm)
            properties["byte_order"] = "little-endian";
        return properties;
    }

    private static int? Number(AdditionalPropertiesDictionary? properties, string name)
    {
        if (properties?.TryGetValue(name, out var value) is not true || value is null)
            return null;
        return properties.TryGetValue<int>(name, out var number) ? number
            : throw new TtsRequestException($"The property {name} is '{value}'; use a whole number.");
    }

    private static PcmSampleFormat DepthOf(AdditionalPropertiesDictionary? properties)
    {
        if (properties?.TryGetValue(Depth, out var value) is not true || value is null)
            return PcmSampleFormat.Int16;
        return value is PcmSampleFormat known ? known
            : Enum.TryParse<PcmSampleFormat>(value.ToString(), ignoreCase: true, out var named) && Enum.IsDefined(named) ? named
            : throw new TtsRequestException($"The property {Depth} is '{value}'; use {string.Join(", ", Enum.GetNames<PcmSampleFormat>())}.");
    }
}
