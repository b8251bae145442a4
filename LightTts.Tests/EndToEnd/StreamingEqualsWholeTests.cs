using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;

namespace LightTts.Tests.EndToEnd;

/// <summary>The embedded voice, streamed: the joined audio is that of one chunk-causal pass, and nobody hears where it was cut.</summary>
public sealed class StreamingEqualsWholeTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("ref_0_slt", 1)]
    [InlineData("ref_1_rms", 1)]
    [InlineData("ref_2_us", 1)]
    [InlineData("ref_1_rms", 7)]
    [InlineData("ref_1_rms", 0)] // as many as the decoder asks for
    public void Fed_in_pieces_gives_the_audio_of_one_pass(string name, int piece)
    {
        using var file = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        var voice = Flows.Timbre(file, "prompt_speech_token", "prompt_speech_feat", "embedding");
        var tokens = Flows.Ints(file, "speech_token");
        var config = ModelDirectory.Open(Repo.TinyEn).Config;
        using var decoder = new CosyVoiceDecoder(Flows.TinyEn(), Vocoders.TinyEn(VocoderNoise.OfFreshModel(config.Flow, config.Vocoder)), config,
            new TorchThread(Environment.ProcessorCount), lanes: null, maxRows: 1);
        using var thread = decoder.EnterThread();
        var options = new DecodeOptions(Streaming: true, FlowSteps: 5, Speed: 1);

        using var whole = decoder.Start(voice, options);
        var expected = Decode(decoder, whole, tokens, final: true);
        Assert.Equal(tokens.Length * decoder.SamplesPerToken, expected.Length);

        using var streamed = decoder.Start(voice, options);
        List<float> joined = [];
        List<int> cuts = [];
        for (var at = 0; at < tokens.Length;)
        {
            var count = Math.Min(piece > 0 ? piece : streamed.TokensWanted, tokens.Length - at);
            var samples = Decode(decoder, streamed, tokens.AsMemory(at, count), final: at + count == tokens.Length);
            if (joined.Count > 0 && samples.Length > 0)
                cuts.Add(joined.Count);
            joined.AddRange(samples);
            at += count;
        }
        Assert.True(cuts.Count >= (tokens.Length > 60 ? 2 : 1), $"{cuts.Count + 1} chunks");
        var difference = Vocoders.MaxDifference(expected, joined.ToArray());
        output.WriteLine($"{tokens.Length} tokens in pieces of {piece}: {cuts.Count + 1} chunks, largest difference {difference:E1}");
        Assert.True(difference <= 1e-4f, $"differs by {difference}");
        AssertNoClick(joined.ToArray(), cuts);
    }

    /// <summary>The same through the public pipeline: several sentences, chunk after chunk.</summary>
    [Theory]
    [InlineData("slt")]
    [InlineData("rms")]
    public async Task No_click_where_chunks_meet(string voice)
    {
        var pipeline = await SharedPipeline.GetAsync();
        List<float> joined = [];
        List<int> cuts = [];
        var request = new SynthesisRequest { Text =
            "The old lighthouse keeper walked slowly down to the harbour every single morning. He never said a word.", Voice = voice, Seed = 5 };
        await foreach (var chunk in pipeline.SynthesizeAsync(request))
        {
            Assert.Equal(joined.Count, (int)Math.Round(chunk.Start.TotalSeconds * chunk.SampleRate));
            if (joined.Count > 0 && chunk.Samples.Length > 0)
                cuts.Add(joined.Count);
            joined.AddRange(chunk.Samples.Span);
        }
        output.WriteLine($"{cuts.Count + 1} chunks, {joined.Count} samples");
        // How many there are depends on how far the language model is ahead; a first chunk is always cut off.
        Assert.NotEmpty(cuts);
        AssertNoClick(joined.ToArray(), cuts);
    }

    [Fact]
    public void A_click_would_be_found()
    {
        var samples = Enumerable.Range(0, 4000).Select(i => 0.3f * MathF.Sin(i * 0.05f)).ToArray();
        AssertNoClick(samples, [2000]);
        for (var i = 2000; i < samples.Length; i++)
            samples[i] += 0.05f;
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertNoClick(samples, [2000]));
    }

    /// <summary>The step at a cut is no larger than the steps within 20 ms around it.</summary>
    private static void AssertNoClick(float[] samples, List<int> cuts)
    {
        const int around = 480;
        foreach (var cut in cuts)
        {
            var largest = 0f;
            for (var i = Math.Max(1, cut - around); i < Math.Min(samples.Length, cut + around); i++)
                if (i != cut)
                    largest = MathF.Max(largest, MathF.Abs(samples[i] - samples[i - 1]));
            var step = MathF.Abs(samples[cut] - samples[cut - 1]);
            Assert.True(step <= largest, $"a step of {step} at {cut} of {samples.Length}, where those around it are at most {largest}");
        }
    }

    private static float[] Decode(CosyVoiceDecoder decoder, IDecodeState state, ReadOnlyMemory<int> tokens, bool final)
    {
        var row = new DecodeRow { State = state, Tokens = tokens, Final = final };
        decoder.Decode([row]);
        Assert.Null(row.Error);
        return row.Samples;
    }
}
