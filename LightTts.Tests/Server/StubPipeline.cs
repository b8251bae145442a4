using System.Runtime.CompilerServices;
using LightTts.Audio;
using LightTts.Extensions.Hosting;
using LightTts.Tests.Pipeline.Fakes;
using LightTts.Timbres;

namespace LightTts.Tests.Server;

/// <summary>A pipeline that says what a test wants it to say, so that the bytes on the wire can be told in advance.</summary>
internal sealed class StubPipeline : ITtsPipeline, IPipelineLoader
{
    private int _active;

    /// <summary>The chunks of a request.</summary>
    public Func<SynthesisRequest, CancellationToken, IAsyncEnumerable<float[]>> Speak { get; set; } = (_, _) => Chunks([0.5f, -0.25f], [0.1f]);

    public List<SynthesisRequest> Requests { get; } = [];

    public List<string> Text { get; } = [];

    /// <summary>Requests that are in.</summary>
    public int Active => Volatile.Read(ref _active);

    public TtsModelInfo Model { get; } = new()
    {
        Name = "stub",
        Family = ModelFamily.CosyVoice3,
        Path = "/secret/models/stub",
        SampleRate = 24_000,
        TokenRate = 25,
        Languages = ["en"],
        Voices = [new VoiceInfo("ann", "A female voice", "en"), new VoiceInfo("bob", "A male voice", "en")],
        DefaultVoice = "ann",
        FlowSteps = 5,
        Parameters = 1,
        Device = ComputeDevice.Cpu,
        Precision = ComputePrecision.Float32,
    };

    public ITimbreStore Timbres { get; } = new TimbreStore(new TimbreStoreOptions { Shared = false }, "stub", (audio, _, _) =>
    {
        ReferenceAudio.Check(audio); // as the engine does before it learns a voice
        return ValueTask.FromResult(FakeEngine.Voice);
    });

    public static async IAsyncEnumerable<float[]> Chunks(params float[][] chunks)
    {
        foreach (var chunk in chunks)
        {
            await Task.Yield();
            yield return chunk;
        }
    }

    /// <summary>Waits for the task, then ends.</summary>
    public static async IAsyncEnumerable<float[]> Held(Task until, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return [0.5f];
        await until.WaitAsync(cancellationToken);
        yield return [0.25f];
    }

    /// <summary>Audio without end.</summary>
    public static async IAsyncEnumerable<float[]> Endless([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
            yield return new float[12_000];
        }
    }

    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(request, cancellationToken);

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(IAsyncEnumerable<string> text, SynthesisRequest? request = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var piece in text.WithCancellation(cancellationToken))
            lock (Text)
                Text.Add(piece);
        await foreach (var chunk in RunAsync(request ?? new SynthesisRequest(), cancellationToken))
            yield return chunk;
    }

    public IReadOnlyList<string> Styles { get; set; } = ["cosyvoice"];

    public TtsPipelineStatus Status => CreateStatus();

    public Task AddStyleAsync(string name, string path, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult(false);

    public Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => Task.FromResult(true);

    public IAsyncEnumerable<AudioChunk> ConvertAsync(AudioClip source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public IAsyncEnumerable<AudioChunk> ConvertAsync(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IReadOnlyList<SpokenText>>([new SpokenText(request.Text, ..request.Text.Length)]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public Task<ITtsPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<ITtsPipeline>(this);

    private TtsPipelineStatus CreateStatus() => new()
    {
        ActiveRequests = Active,
        MaxActiveRequests = 64,
        Stages = [],
        KvBlocksInUse = 0,
        LanguageSequences = 0,
        DecodeUtterances = 0,
        DecodeCacheBytes = 0,
    };

    private async IAsyncEnumerable<AudioChunk> RunAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        lock (Requests)
            Requests.Add(request);
        if (request.Text == "Hello." && request.Seed == 0)
            yield break; // the warm-up
        Interlocked.Increment(ref _active);
        try
        {
            var index = 0;
            await foreach (var samples in Speak(request, cancellationToken).WithCancellation(cancellationToken))
                yield return new AudioChunk
                {
                    Samples = samples,
                    SampleRate = 24_000,
                    Index = index,
                    Start = TimeSpan.FromSeconds(index++),
                    SentenceIndex = 0,
                    TextRange = 0..request.Text.Length,
                    SpeechTokens = new int[3],
                    Elapsed = TimeSpan.Zero,
                    IsLast = false,
                };
        }
        finally
        {
            Interlocked.Decrement(ref _active);
        }
    }
}
