using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Tests.EndToEnd;

/// <summary>A first chunk in fewer solver steps: it is that of a stream with these, and what follows is that of one with all.</summary>
public sealed class FirstChunkStepsTests(ITestOutputHelper output)
{
    private const int Few = 2, All = 4;

    [Theory]
    [InlineData(0)] // as many tokens as the decoder asks for
    [InlineData(9)]
    [InlineData(200)] // all at once
    public void What_follows_has_all_steps(int piece)
    {
        using var scope = NewDisposeScope();
        var config = ModelDirectory.Open(Repo.TinyEn).Config;
        using var decoder = new CosyVoiceDecoder(Flows.TinyEn(), Vocoders.TinyEn(VocoderNoise.OfFreshModel(config.Flow, config.Vocoder)), config,
            new TorchThread(Environment.ProcessorCount), lanes: null, maxRows: 1);
        using var thread = decoder.EnterThread();
        var (voice, tokens) = (Flows.Timbre(3, 60), Flows.Tokens(new Random(3), 130));
        var pieces = new List<Tensor>();
        Tensor few = Mel(new DecodeOptions(true, Few, 1)), all = Mel(new DecodeOptions(true, All, 1)),
            mixed = Mel(new DecodeOptions(true, All, 1, Few));
        Assert.Equal(all.shape, mixed.shape);
        var first = pieces[0].shape[2];
        output.WriteLine($"the first chunk has {first} of {all.shape[2]} frames");
        Flows.Near(few.narrow(2, 0, first), mixed.narrow(2, 0, first), 1e-4);
        var rest = all.shape[2] - first;
        if (rest > 0)
            Flows.Near(all.narrow(2, first, rest), mixed.narrow(2, first, rest), 1e-4);
        Assert.True(Flows.Difference(few, all) > 0.01);

        Tensor Mel(DecodeOptions options)
        {
            using var state = (CosyVoiceDecodeState)decoder.Start(voice, options);
            pieces.Clear();
            for (var at = 0; at < tokens.Length;)
            {
                var count = Math.Min(piece > 0 ? piece : state.TokensWanted, tokens.Length - at);
                var row = new FlowRow { State = state.Next, Tokens = tokens.AsMemory(at, count), Final = at + count == tokens.Length };
                using (var pass = decoder.BeginFlow([row]))
                    while (pass.Advance())
                    {
                    }
                Assert.Null(row.Error);
                if (state.Take(row) is { } frames)
                    pieces.Add(frames.clone());
                state.HasAudio |= pieces.Count > 0;
                at += count;
            }
            return cat(pieces, 2);
        }
    }

    [Fact]
    public async Task Listeners_hear_the_same_words()
    {
        var pipeline = await SharedPipeline.GetAsync();
        async Task<(List<AudioChunk> Chunks, List<int> Tokens)> Speak(int steps, int? first)
        {
            List<AudioChunk> chunks = [];
            var request = new SynthesisRequest { Text = "A small test of a longer sentence, spoken in parts. Then another one.", Voice = "rms",
                Seed = 5, FlowSteps = steps, FirstFlowSteps = first };
            await foreach (var chunk in pipeline.SynthesizeAsync(request))
                chunks.Add(chunk);
            return (chunks, [.. chunks.SelectMany(chunk => chunk.SpeechTokens.ToArray())]);
        }
        var (plain, sketched) = (await Speak(All, null), await Speak(All, 1));
        Assert.Equal(plain.Tokens, sketched.Tokens);
        Assert.Equal(plain.Chunks.Sum(chunk => chunk.Samples.Length), sketched.Chunks.Sum(chunk => chunk.Samples.Length));
        Assert.NotEqual(plain.Chunks[0].Samples.ToArray(), sketched.Chunks[0].Samples.ToArray());
        var error = await Assert.ThrowsAsync<TtsRequestException>(() => Speak(All, 0));
        Assert.Contains("FirstFlowSteps is 0", error.Message);
    }
}
