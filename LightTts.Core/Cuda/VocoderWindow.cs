using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>A window of an utterance, a row of a batch: the struct Window of vocoder.cuh. Lengths and places are in frames of it, addresses those of
/// the device.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VocoderWindow
{
    /// <summary>Numbers of 64 bits in it.</summary>
    public const int Words = 10;

    /// <summary>Of how many frames the pitch was determined before.</summary>
    public long Known;

    /// <summary>Where the utterance ends, or the buffers.</summary>
    public long End;

    /// <summary>The first frame whose samples are wanted.</summary>
    public long First;

    /// <summary>Where the window ends; 0: nobody wants the row.</summary>
    public long Count;

    /// <summary>[bands, Count] in 32 bits.</summary>
    public nint Mel;

    /// <summary>Numbers of it from a band to the next.</summary>
    public long MelStride;

    /// <summary>[1 + harmonics, Known] in 64 bits: frequencies, and turns summed from the utterance's beginning.</summary>
    public nint Pitch;

    /// <summary>Numbers of it from a harmonic to the next.</summary>
    public long PitchStride;

    /// <summary>The noise's table.</summary>
    public nint Noise;

    /// <summary>Where in it the window begins.</summary>
    public long NoiseStart;
}
