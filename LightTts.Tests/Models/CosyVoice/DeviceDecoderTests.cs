using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;

namespace LightTts.Tests.Models.CosyVoice;

/// <summary>Flow and vocoder as GPUs have them, on the CPU, together: streams that join, leave and are dropped, as one pass of each alone in the
/// parts
/// that CPUs have.</summary>
public sealed class DeviceDecoderTests(ITestOutputHelper output)
{
    private const int Streams = 8;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Streams_in_company_are_what_each_is_alone(int seed)
    {
        var config = ModelDirectory.Open(Repo.TinyEn).Config;
        VocoderNoise Noise() => VocoderNoise.OfFreshModel(config.Flow, config.Vocoder);
        using var alone = new CosyVoiceDecoder(Flows.Plain(), Vocoders.TinyEn(Noise()), config, new TorchThread(2), lanes: null, maxRows: 1);
        using var company = new CosyVoiceDecoder(Flows.Batched(), Vocoders.TinyEnWindows(Noise()), config, new TorchThread(2), lanes: null,
            maxRows: 16);
        using var thread = company.EnterThread();
        company.WarmUp();
        var random = new Random(seed);
        var voices = Enumerable.Range(0, 2).Select(i => Flows.Timbre(i, 30 * i)).ToArray();
        var streams = Enumerable.Range(0, Streams).Select(i => new Stream
        {
            Voice = voices[random.Next(voices.Length)],
            Tokens = Flows.Tokens(random, random.Next(10, 80)),
            Options = new DecodeOptions(Streaming: random.Next(4) > 0, FlowSteps: 1, Speed: 1),
            IsDropped = random.Next(5) == 0,
        }).ToArray();
        while (streams.Any(stream => !stream.IsOver))
        {
            List<(Stream Stream, DecodeRow Row)> rows = [];
            foreach (var stream in streams.Where(stream => !stream.IsOver && random.Next(3) > 0))
            {
                stream.State ??= company.Start(stream.Voice, stream.Options);
                var count = Math.Min(random.Next(1, 50), stream.Tokens.Length - stream.Done);
                var part = stream.Tokens.AsMemory(stream.Done, count);
                stream.Done += count;
                rows.Add((stream, new DecodeRow { State = stream.State, Tokens = part, Final = stream.Done == stream.Tokens.Length }));
            }
            if (rows.Count == 0)
                continue;
            company.Decode([.. rows.Select(each => each.Row)]);
            foreach (var (stream, row) in rows)
            {
                Assert.Null(row.Error);
                stream.Heard.AddRange(row.Samples);
                stream.IsOver = row.Final || (stream.IsDropped && stream.Heard.Count > 0);
                if (stream.IsOver)
                    stream.State!.Dispose();
            }
        }
        foreach (var stream in streams)
        {
            using var state = alone.Start(stream.Voice, stream.Options);
            var row = new DecodeRow { State = state, Tokens = stream.Tokens, Final = true };
            alone.Decode([row]);
            Assert.Null(row.Error);
            var difference = Vocoders.MaxDifference(row.Samples.AsSpan(0, stream.Heard.Count), stream.Heard.ToArray());
            output.WriteLine($"{stream.Heard.Count} of {row.Samples.Length} samples: {difference:E1} of {row.Samples.Max(MathF.Abs):E1}");
            Assert.True(stream.IsDropped || stream.Heard.Count == row.Samples.Length);
            // Differences of a mel in its seventh digit grow in the pitch, whose phases are sums over the utterance.
            Assert.InRange(difference, 0, 1e-2f * row.Samples.Max(MathF.Abs));
        }
        Assert.InRange(company.Memory.Prompts - company.Memory.InUse, 0, 1 << 14); // all pages are prompts', which have tails besides
    }

    private sealed class Stream
    {
        public required LightTts.Timbres.TimbreFeatures Voice { get; init; }

        public required int[] Tokens { get; init; }

        public required DecodeOptions Options { get; init; }

        public required bool IsDropped { get; init; }

        public IDecodeState? State { get; set; }

        public int Done { get; set; }

        public bool IsOver { get; set; }

        public List<float> Heard { get; } = [];
    }
}
