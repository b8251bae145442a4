using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Timbres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline.Fakes;

/// <summary>The whole pipeline over fake models: threads, channels, scheduling and
/// cancellation are the real ones, a request takes microseconds.</summary>
internal sealed class FakeEngine : IAsyncDisposable
{
    public static readonly TimbreFeatures Voice = new("hello", [1, 2, 3], new float[6 * 80], 6, new float[192]);

    public FakeEngine(TtsPipelineOptions? options = null, int blocks = 64, int rows = 16, int decodeRows = 4, TimeProvider? time = null,
        ILogger? log = null, bool yields = false, bool yieldsToFirstAudio = false, bool goesAhead = false)
    {
        Engine = new SynthesisEngine("fake",
            new ModelParts(new FakeEncoder(World),
                [new StyleModel("fake", new FakeLanguageModel(World, blocks,
                    new LanguageLimits(rows, 32, int.MaxValue, yields, yieldsToFirstAudio), goesAhead: goesAhead))],
                new FakeDecoder(World, decodeRows)),
            options ?? new TtsPipelineOptions(), time ?? TimeProvider.System, log ?? NullLogger.Instance);
    }

    public FakeWorld World { get; } = new();

    public SynthesisEngine Engine { get; }

    public IAsyncEnumerable<AudioChunk> Speak(SynthesisRequest request, CancellationToken token = default) =>
        Engine.RunAsync(request, Voice, request.FlowSteps ?? 5, null, token);

    public IAsyncEnumerable<AudioChunk> Speak(IAsyncEnumerable<string> text, SynthesisRequest? request = null, CancellationToken token = default) =>
        Engine.RunAsync(request ?? new SynthesisRequest { Seed = 1 }, Voice, request?.FlowSteps ?? 5, text, token);

    public IAsyncEnumerable<AudioChunk> Convert(AudioClip source, ConversionRequest? request = null, CancellationToken token = default) =>
        Engine.ConvertAsync((request ?? new ConversionRequest()).ToSynthesis(), Voice, request?.FlowSteps ?? 5, source, null, token);

    public IAsyncEnumerable<AudioChunk> Convert(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
        CancellationToken token = default) =>
        Engine.ConvertAsync((request ?? new ConversionRequest()).ToSynthesis(), Voice, request?.FlowSteps ?? 5, null, source, token);

    public static async Task<List<AudioChunk>> Collect(IAsyncEnumerable<AudioChunk> chunks)
    {
        List<AudioChunk> all = [];
        await foreach (var chunk in chunks)
            all.Add(chunk);
        return all;
    }

    public static float[] Join(IEnumerable<AudioChunk> chunks) => [.. chunks.SelectMany(chunk => chunk.Samples.ToArray())];

    /// <summary>Waits until every stage has let go of everything.</summary>
    public async Task AssertIdle()
    {
        // The stages free in their next step; a status that is never reached fails by the test's timeout.
        for (var i = 0; i < 10_000; i++)
        {
            var status = Engine.Status();
            if (status is { ActiveRequests: 0, KvBlocksInUse: 0, LanguageSequences: 0, DecodeUtterances: 0, DecodeCacheBytes: 0 }
                && World is { LanguageStates: 0, DecodeStates: 0, OpenPasses: 0 })
                return;
            await Task.Delay(1);
        }
        Assert.Fail($"not idle: {Engine.Status()}, language states {World.LanguageStates}, decode states {World.DecodeStates}, open passes "
            + $"{World.OpenPasses}");
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
