using LightTts.Tests.Pipeline.Fakes;
using LightTts.Timbres;

namespace LightTts.Tests.Extensions.Fakes;

/// <summary>A pipeline whose stages are real and whose models are fakes.</summary>
internal sealed class FakePipeline : ITtsPipeline
{
    public FakePipeline(TtsPipelineOptions options, string name)
    {
        Engine = new FakeEngine(options, time: options.TimeProvider);
        Model = new TtsModelInfo
        {
            Name = name,
            Family = ModelFamily.CosyVoice3,
            Path = "fake",
            SampleRate = 100,
            TokenRate = 25,
            Languages = ["en", "de"],
            Voices = [new VoiceInfo("slt", null, "en-US"), new VoiceInfo("gisela", null, "de")],
            DefaultVoice = "slt",
            FlowSteps = 5,
            Parameters = 1,
            Device = ComputeDevice.Cpu,
            Precision = ComputePrecision.Float32,
        };
        Timbres = new TimbreStore(new TimbreStoreOptions { Shared = false }, "fake", (_, _, _) => ValueTask.FromResult(FakeEngine.Voice));
    }

    public FakeEngine Engine { get; }

    public List<SynthesisRequest> Requests { get; } = [];

    public int Disposals { get; private set; }

    /// <summary>Changes what the health checks see.</summary>
    public Func<TtsPipelineStatus, TtsPipelineStatus> Disguise { get; set; } = status => status;

    public TtsModelInfo Model { get; init; }

    public ITimbreStore Timbres { get; }

    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default)
    {
        lock (Requests)
            Requests.Add(request);
        return Engine.Speak(request, cancellationToken);
    }

    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(IAsyncEnumerable<string> text, SynthesisRequest? request = null,
        CancellationToken cancellationToken = default) =>
        Engine.Speak(text, request, cancellationToken);

    public IAsyncEnumerable<AudioChunk> ConvertAsync(AudioClip source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default) => Engine.Convert(source, request, cancellationToken);

    public IAsyncEnumerable<AudioChunk> ConvertAsync(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default) => Engine.Convert(source, request, cancellationToken);

    public IReadOnlyList<string> Styles => Engine.Engine.Styles.Names;

    public TtsPipelineStatus Status => Disguise(Engine.Engine.Status());

    public Task AddStyleAsync(string name, string path, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult(false);

    public Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Engine.Engine.DrainAsync(timeout, cancellationToken);

    public ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IReadOnlyList<SpokenText>>([new SpokenText($"{request.Text}.", ..request.Text.Length)]);

    public async ValueTask DisposeAsync()
    {
        Disposals++;
        await Engine.DisposeAsync();
    }
}
