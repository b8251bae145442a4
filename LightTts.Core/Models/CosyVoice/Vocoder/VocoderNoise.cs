using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The fixed noise that the harmonic source adds: a table [samples, harmonics + 1] of numbers, read once from its start.</summary>
internal abstract class VocoderNoise
{
    /// <summary>Reads the table's next numbers, row-major.</summary>
    public abstract void Next(Span<float> values);

    /// <summary>Normally distributed numbers, for the generation whose reference draws them anew in every call.</summary>
    public static VocoderNoise Normal() => new NormallyDrawn(new MersenneTwister(0));

    /// <summary>The table of a freshly loaded reference model, numbers in [0, 1), which no checkpoint stores.</summary>
    /// <remarks>
    /// Reference: the solver seeds the generator with 0 and draws its noise (80 bands of 300 s); what the model's constructors draw after that up to
    /// SineGen2.sine_waves decides where the table starts.
    /// </remarks>
    public static VocoderNoise OfFreshModel(FlowConfig flow, VocoderConfig vocoder)
    {
        const int solverNoiseFrames = 50 * 300;
        long bands = flow.MelBands, f0 = vocoder.F0Channels;
        var draws = Normal(bands * solverNoiseFrames)
            + Normal((long)flow.VocabularySize * flow.InputSize)
            + Linear(flow.SpeakerEmbedding, bands)
            + Linear(vocoder.MelBands * 4L, f0) + 4 * Linear(f0 * 3, f0) + Linear(f0, 1)
            + vocoder.Harmonics + 1; // rand_ini, which has no effect on the sound
        var generator = new MersenneTwister(0);
        generator.Skip(draws);
        return new Drawn(generator);
    }

    // torch's normal_fill draws the last 16 anew where the count is no multiple of 16.
    private static long Normal(long count) => count + (count % 16 == 0 ? 0 : 16);

    private static long Linear(long inputs, long outputs) => inputs * outputs + outputs;

    /// <summary>Two at a time by the method of Box and Muller.</summary>
    private sealed class NormallyDrawn(MersenneTwister generator) : VocoderNoise
    {
        private float? _second;

        public override void Next(Span<float> values)
        {
            Span<float> pair = stackalloc float[2];
            foreach (ref var value in values)
            {
                if (_second is { } second)
                {
                    (value, _second) = (second, null);
                    continue;
                }
                generator.NextSingles(pair);
                var radius = MathF.Sqrt(-2 * MathF.Log(1 - pair[0]));
                var (sine, cosine) = MathF.SinCos(2 * MathF.PI * pair[1]);
                (value, _second) = (radius * cosine, radius * sine);
            }
        }
    }

    private sealed class Drawn(MersenneTwister generator) : VocoderNoise
    {
        public override void Next(Span<float> values) => generator.NextSingles(values);
    }
}
