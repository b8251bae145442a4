namespace LightTts.Extensions.Formats;

/// <summary>How one sample of WAV or PCM audio is stored; all but 8 bits little-endian.</summary>
public enum PcmSampleFormat
{
    /// <summary>16-bit signed integers.</summary>
    Int16,

    /// <summary>8-bit unsigned integers, 128 being silence.</summary>
    UInt8,

    /// <summary>24-bit signed integers.</summary>
    Int24,

    /// <summary>32-bit signed integers.</summary>
    Int32,

    /// <summary>32-bit floating point.</summary>
    Float32,
}
