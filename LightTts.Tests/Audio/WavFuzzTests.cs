using System.Globalization;

namespace LightTts.Tests.Audio;

/// <summary>Seeded mutations of valid files: a clip or a <see cref="TtsAudioException"/>,
/// nothing else. LIGHTTTS_FUZZ_CASES sets how many (default 5,000).</summary>
public sealed class WavFuzzTests
{
    private static readonly byte[][] Seeds =
    [
        WavBuilder.Pcm16(200),
        WavBuilder.Pcm16(60, 44_100, 2),
        new WavBuilder().Riff().Extensible(3, 2, 48_000, 32).Chunk("LIST", new byte[9]).Chunk("data", WavBuilder.Floats(new float[64])).ToArray(),
        new WavBuilder().Riff(size: uint.MaxValue).Fmt(1, 3, 22_050, 24).Chunk("fact", new byte[4]).Chunk("data", new byte[333],
        size: uint.MaxValue).ToArray(),
        new WavBuilder().Riff().Fmt(3, 1, 16_000, 64).Chunk("data", new byte[512]).ToArray(),
    ];

    [Fact]
    public void Mutated_files_give_a_clip_or_an_audio_error()
    {
        var cases = int.TryParse(Environment.GetEnvironmentVariable("LIGHTTTS_FUZZ_CASES"), CultureInfo.InvariantCulture, out var wanted) ? wanted
            : 5_000;
        var (read, refused) = (0, 0);
        for (var seed = 0; seed < cases; seed++)
        {
            var file = Mutate(new Random(seed));
            try
            {
                var clip = AudioClip.FromWav(seed % 2 == 0 ? new MemoryStream(file) : new Pipe(file));
                Assert.InRange(clip.Samples.Length, 1, file.Length);
                Assert.All(clip.Samples.ToArray(), sample => Assert.True(float.IsFinite(sample)));
                read++;
            }
            catch (TtsAudioException)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
        // Both ends must be reached, or the mutations test nothing.
        Assert.True(cases < 1_000 || (read > cases / 20 && refused > cases / 20), $"{read} read, {refused} refused");
    }

    private static byte[] Mutate(Random random)
    {
        var file = Seeds[random.Next(Seeds.Length)].ToList();
        for (var left = random.Next(1, 6); left > 0 && file.Count > 0; left--)
        {
            var at = random.Next(random.Next(2) == 0 ? Math.Min(60, file.Count) : file.Count); // headers are where the decisions are
            switch (random.Next(6))
            {
                case 0:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    file[at] = (byte)random.Next(256);
                    break;
                case 2:
                    byte[] extreme = [0, 0xFF, 0x7F, 0x80];
                    for (var i = at; i < Math.Min(at + 4, file.Count); i++)
                        file[i] = extreme[random.Next(extreme.Length)];
                    break;
                case 3:
                    file.RemoveRange(at, random.Next(file.Count - at + 1));
                    break;
                case 4:
                    file.InsertRange(at, Enumerable.Range(0, random.Next(1, 20)).Select(_ => (byte)random.Next(256)));
                    break;
                default:
                    var count = random.Next(Math.Min(64, file.Count - at) + 1);
                    file.InsertRange(random.Next(file.Count), file.GetRange(at, count));
                    break;
            }
        }
        return [.. file];
    }
}
