using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Tests.Support;
using LightTts.Torch;

namespace LightTts.Tests.Models.CosyVoice;

/// <summary>Laws of CosyVoice2's flow and vocoder together: streamed is the same chunk-causal pass run whole, and company changes nothing.</summary>
public sealed class CosyVoice2DecoderTests(ITestOutputHelper output)
{
    private const int Vocabulary = 400;

    [Theory]
    [InlineData(20, 0)] // as many as the decoder asks for
    [InlineData(47, 1)]
    [InlineData(0, 7)]
    [InlineData(30, 60)]
    public void Fed_in_pieces_gives_the_audio_of_one_pass(int prompt, int piece)
    {
        using var decoder = Decoder(lanes: null);
        using var thread = decoder.EnterThread();
        var (voice, tokens) = (Flows.Timbre(prompt, prompt, Vocabulary), Flows.Tokens(new Random(prompt), 130, Vocabulary));
        var options = new DecodeOptions(Streaming: true, FlowSteps: 3, Speed: 1);
        using var whole = decoder.Start(voice, options);
        var expected = Run(decoder, whole, tokens, final: true);
        Assert.Equal(tokens.Length * decoder.SamplesPerToken, expected.Length);

        using var streamed = decoder.Start(voice, options);
        List<float> joined = [];
        var chunks = 0;
        for (var at = 0; at < tokens.Length;)
        {
            var count = Math.Min(piece > 0 ? piece : streamed.TokensWanted, tokens.Length - at);
            var samples = Run(decoder, streamed, tokens.AsMemory(at, count), final: at + count == tokens.Length);
            chunks += samples.Length > 0 ? 1 : 0;
            joined.AddRange(samples);
            at += count;
        }
        Assert.True(chunks > 2, $"{chunks} chunks");
        var difference = Vocoders.MaxDifference(expected, joined.ToArray());
        output.WriteLine($"{chunks} chunks, largest difference {difference:E1} of {expected.Max(MathF.Abs):E1}");
        // The mel's last bits move the pitch a little, and the phase adds that up.
        Assert.InRange(difference, 0, 1e-2f * expected.Max(MathF.Abs));
    }

    [Fact]
    public void Rows_side_by_side_are_what_they_are_alone_bit_by_bit()
    {
        using var decoder = Decoder(new TorchLanes(2));
        using var thread = decoder.EnterThread();
        DecodeRow[] Rows() => [.. new (int Prompt, int Count, bool Streaming)[] { (20, 40, false), (47, 60, true) }.Select((row, i) => new DecodeRow
        {
            State = decoder.Start(Flows.Timbre(i, row.Prompt, Vocabulary), new DecodeOptions(row.Streaming, FlowSteps: 3, Speed: 1)),
            Tokens = Flows.Tokens(new Random(i), row.Count, Vocabulary),
            Final = true,
        })];
        var (alone, company) = (Rows(), Rows());
        foreach (var row in alone)
            decoder.Decode([row]);
        decoder.Decode(company);
        foreach (var (one, other) in alone.Zip(company))
        {
            Assert.Null(other.Error);
            Assert.NotEmpty(other.Samples);
            Assert.Equal(one.Samples, other.Samples);
            one.State.Dispose();
            other.State.Dispose();
        }
    }

    private static CosyVoiceDecoder Decoder(TorchLanes? lanes) =>
        new(Flows.Golden("cv2"), Vocoders.Golden2(asReference: false), ModelDirectory.Open(Repo.Golden("main/models/cosyvoice2-tiny")).Config,
            new TorchThread(2), lanes, maxRows: 2);

    private static float[] Run(CosyVoiceDecoder decoder, IDecodeState state, ReadOnlyMemory<int> tokens, bool final)
    {
        var row = new DecodeRow { State = state, Tokens = tokens, Final = final };
        decoder.Decode([row]);
        Assert.Null(row.Error);
        return row.Samples;
    }
}
