namespace LightTts.Extensions.Formats;

/// <summary>How encoded audio is laid out.</summary>
public enum AudioFormat
{
    /// <summary>A WAV file. Where the destination cannot seek, its header leaves the length open.</summary>
    Wav,

    /// <summary>Bare little-endian samples, without a header.</summary>
    Pcm,

    /// <summary>Opus in Ogg (RFC 7845), 20 ms a packet.</summary>
    Opus,

    /// <summary>FLAC (RFC 9639), with fixed predictors.</summary>
    Flac,

    /// <summary>MP3, by ffmpeg where it is installed.</summary>
    Mp3,

    /// <summary>AAC in ADTS, by ffmpeg where it is installed.</summary>
    Aac,
}
