using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Timbres;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times of the flow's passes: first chunks, chunks over a past that is kept, whole utterances.</summary>
/// <param name="decoder">Used on its own thread only.</param>
/// <param name="config">Its shapes.</param>
/// <param name="steps">Solver steps.</param>
/// <param name="clock">Takes the time.</param>
internal sealed class FlowMeasures(CosyVoiceDecoder decoder, CosyVoiceConfig config, int steps, PassClock clock)
{
    private const int PromptSeconds = 3;
    private const int Past = 400; // frames, the prompt's included

    private readonly Random _random = new(1);
    private readonly TimbreFeatures _timbre = Voice(config);

    private int TokensPerSecond => config.TokenFrameRate;

    /// <summary>A first chunk of speech behind a prompt that is shared and computed.</summary>
    public Series FirstChunk(int rows) => clock.Take(values =>
    {
        var streams = Open(rows, streaming: true);
        try
        {
            Timed(streams, NextTokens, final: false, values);
        }
        finally
        {
            Close(streams);
        }
    }).Each(rows);

    /// <summary>A chunk over <see cref="Past"/> frames that each stream keeps.</summary>
    /// <exception cref="TtsSynthesisException">The memory of the caches has no room for so many streams.</exception>
    public Series CachedChunk(int rows) => clock.Take(values =>
    {
        var streams = Open(rows, streaming: true);
        try
        {
            while (streams[0].Flow.KeptTokens * config.TokenMelRatio < Past)
                Timed(streams, NextTokens, final: false, null);
            Timed(streams, NextTokens, final: false, values);
            if (streams.Count(stream => stream.Flow.Policy != FlowCachePolicy.Cached) is > 0 and var without)
                throw new TtsSynthesisException($"{without} of {rows} streams found no room for their past; raise --flow-cache-mb.");
        }
        finally
        {
            Close(streams);
        }
    }).Each(rows);

    /// <summary>So many seconds as a whole.</summary>
    public Series Whole(int rows, int length) => clock.Take(values =>
    {
        var streams = Open(rows, streaming: false);
        try
        {
            Timed(streams, _ => length * TokensPerSecond, final: true, values);
        }
        finally
        {
            Close(streams);
        }
    }).Each(rows);

    private static int NextTokens(CosyVoiceDecodeState state) => state.Flow.TokensWanted;

    private void Timed(List<CosyVoiceDecodeState> streams, Func<CosyVoiceDecodeState, int> tokens, bool final, List<double>? values)
    {
        var rows = streams.ConvertAll(stream => new FlowRow { State = stream.Flow, Tokens = Tokens(tokens(stream)), Final = final });
        void Pass()
        {
            using var pass = decoder.BeginFlow(rows);
            clock.Mark("planned and encoded");
            var step = 1;
            while (pass.Advance())
                clock.Mark($"step {step++} launched");
            clock.Mark("done"); // with the last step
        }
        if (values is null)
            Pass();
        else
            values.Add(clock.Pass(Pass));
        foreach (var row in rows)
        {
            row.Mel?.Dispose();
            if (row.Error is { } error)
                throw new TtsSynthesisException($"The flow failed: {error.Message}", error);
        }
    }

    private List<CosyVoiceDecodeState> Open(int rows, bool streaming)
    {
        List<CosyVoiceDecodeState> streams = [];
        for (var i = 0; i < rows; i++)
        {
            var state = (CosyVoiceDecodeState)decoder.CreateState(_timbre, new DecodeOptions(streaming, steps, Speed: 1));
            streams.Add(state);
            if (!streaming || !state.NeedsPrompt)
                continue;
            using var prompt = decoder.BeginPrompt(state);
            while (prompt?.Advance() == true)
            {
            }
        }
        return streams;
    }

    private static void Close(List<CosyVoiceDecodeState> streams)
    {
        foreach (var stream in streams)
            stream.Dispose();
    }

    private int[] Tokens(int count)
    {
        var tokens = new int[count];
        for (var i = 0; i < count; i++)
            tokens[i] = _random.Next(config.Flow.VocabularySize);
        return tokens;
    }

    private static TimbreFeatures Voice(CosyVoiceConfig config)
    {
        var random = new Random(2);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
        var tokens = PromptSeconds * config.TokenFrameRate;
        return new TimbreFeatures(null, [.. Enumerable.Range(0, tokens).Select(_ => random.Next(config.Flow.VocabularySize))],
            Numbers(tokens * config.TokenMelRatio * config.Flow.MelBands), tokens * config.TokenMelRatio, Numbers(config.Flow.SpeakerEmbedding));
    }
}
