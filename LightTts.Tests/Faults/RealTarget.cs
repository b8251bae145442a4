using LightTts.Tests.Support;

namespace LightTts.Tests.Faults;

/// <summary>The real pipeline with the embedded voice; speech is kept short and coarse, because faults do not care how it sounds.</summary>
internal sealed class RealTarget(TtsPipeline pipeline, FaultyModels models, EventLog log) : FaultTarget(log)
{
    private static readonly AudioClip s_speech = new(AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", "slt.wav")).Samples[..20_000],
        16_000);

    public TtsPipeline Pipeline => pipeline;

    public override string Story => "Hello there. How are you?";

    public override TimeSpan Limit => TimeSpan.FromSeconds(60);

    /// <summary>Chunks of a stream are cut by the listener's lead, and where they are cut moves the last bits of the flow and the vocoder.</summary>
    public override float? Tolerance => 1e-4f;

    public override Action? OnModelCall
    {
        set => models.OnCall = value;
    }

    public override TtsPipelineStatus Status => pipeline.Status;

    /// <param name="options">What differs from the tests' usual.</param>
    /// <param name="device">Where it runs.</param>
    public static TtsPipelineOptions Options(TtsPipelineOptions? options = null, ComputeDevice device = ComputeDevice.Cpu)
    {
        options ??= new TtsPipelineOptions();
        var shared = SharedPipeline.Options();
        options.ModelPath ??= shared.ModelPath;
        (options.Device, options.Precision, options.Timbres) = (device, shared.Precision, shared.Timbres);
        options.NativeLibraryPath = shared.NativeLibraryPath;
        return options;
    }

    public static async Task<RealTarget> LoadAsync(TtsPipelineOptions? options = null, ComputeDevice device = ComputeDevice.Cpu)
    {
        var log = new EventLog();
        options = Options(options, device);
        options.LoggerFactory = new EventLogFactory(log);
        var models = new FaultyModels();
        return new RealTarget(await Task.Run(() => TtsPipeline.Load(options, null, models.Wrap, default)), models, log);
    }

    public override IAsyncEnumerable<AudioChunk> Speak(SynthesisRequest request, IAsyncEnumerable<string>? text = null,
        CancellationToken token = default)
    {
        request = request with { FlowSteps = request.FlowSteps ?? 2, MaxSpeechTokens = request.MaxSpeechTokens ?? 20 };
        return text is null ? pipeline.SynthesizeAsync(request, token) : pipeline.SynthesizeAsync(text, request, token);
    }

    public override IAsyncEnumerable<AudioChunk> Convert(bool live, ConversionRequest request, CancellationToken token)
    {
        request = request with { FlowSteps = 2 };
        return live ? pipeline.ConvertAsync(Pieces(s_speech, 3_000), request, token) : pipeline.ConvertAsync(s_speech, request, token);
    }

    public override void Later(Random random, Action action)
    {
        var delay = random.Next(200);
        _ = Task.Run(async () =>
        {
            await Task.Delay(delay);
            try
            {
                action();
            }
            catch (ObjectDisposedException)
            {
                // its request was done before
            }
        });
    }

    public override ValueTask DisposeAsync() => pipeline.DisposeAsync();
}
