using LightTts.Audio;

namespace LightTts.Tests.Audio;

/// <summary>Which clips may teach a voice.</summary>
public sealed class ReferenceAudioTests
{
    private static float[] Tone(double seconds, int rate = 16_000, float amplitude = 0.3f) =>
        [.. Enumerable.Range(0, (int)Math.Round(seconds * rate)).Select(i => amplitude * MathF.Sin(i * 0.1f))];

    private static float[] With(float value)
    {
        var samples = Tone(1);
        samples[7_000] = value;
        return samples;
    }

    /// <summary>name -> (clip, what the error says; null where it is fine).</summary>
    private static readonly Dictionary<string, (AudioClip Clip, string? Says)> Cases = new()
    {
        ["1 s"] = (new(Tone(1), 16_000), null),
        ["0.5 s"] = (new(Tone(0.5), 16_000), null),
        ["30.0 s"] = (new(Tone(30), 16_000), null),
        ["30.0 s at 44.1 kHz"] = (new(Tone(30, 44_100), 44_100), null),
        ["0 samples"] = (new(ReadOnlyMemory<float>.Empty, 16_000), "at least 0.5 s"),
        ["0.05 s"] = (new(Tone(0.05), 16_000), "at least 0.5 s"),
        ["0.499 s"] = (new(Tone(0.499), 16_000), "at least 0.5 s"),
        ["30.01 s"] = (new(Tone(30.01), 16_000), "at most 30 s"),
        ["31 s"] = (new(Tone(31), 16_000), "at most 30 s"),
        ["8 kHz"] = (new(Tone(1, 8_000), 8_000), "at least 16000 Hz"),
        ["15,999 Hz"] = (new(Tone(1, 15_999), 15_999), "at least 16000 Hz"),
        ["NaN"] = (new(With(float.NaN), 16_000), "NaN"),
        ["+infinity"] = (new(With(float.PositiveInfinity), 16_000), "infinite"),
        ["-infinity"] = (new(With(float.NegativeInfinity), 16_000), "infinite"),
        ["1e30"] = (new(With(1e30f), 16_000), "[-1, 1]"),
        ["-1e30"] = (new(With(-1e30f), 16_000), "[-1, 1]"),
        ["16-bit integers as floats"] = (new(Tone(1, amplitude: 10_000), 16_000), "[-1, 1]"),
        ["somewhat over full scale"] = (new(Tone(1, amplitude: 1.9f), 16_000), null),
        ["all zero"] = (new(new float[16_000], 16_000), "no speech"),
        ["denormals"] = (new(Enumerable.Range(0, 16_000).Select(i => i % 2 == 0 ? 1e-42f : -1e-42f).ToArray(), 16_000), "no speech"),
        ["full-scale DC"] = (new(Enumerable.Repeat(1f, 16_000).ToArray(), 16_000), "no speech"),
        ["negative DC"] = (new(Enumerable.Repeat(-1f, 16_000).ToArray(), 16_000), "no speech"),
        ["-80 dBFS"] = (new(Tone(1, amplitude: 1e-4f), 16_000), "no speech"),
        ["-50 dBFS"] = (new(Tone(1, amplitude: 4.5e-3f), 16_000), null),
        ["silence around 200 ms of speech"] = (new((float[])[.. new float[16_000], .. Tone(0.2), .. new float[16_000]], 16_000), null),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Only_usable_clips_pass(string name)
    {
        var (clip, says) = Cases[name];
        if (says is null)
            ReferenceAudio.Check(clip);
        else
            Assert.Contains(says, Assert.Throws<TtsAudioException>(() => ReferenceAudio.Check(clip)).Message, StringComparison.Ordinal);
    }
}
