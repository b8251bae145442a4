using LightTts.Audio;
using LightTts.Models;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Pipeline;
using LightTts.Timbres;
using LightTts.Torch;

namespace LightTts;

/// <summary>Loads a model directory and serves requests on three stages: encode (text and
/// voices), language (speech tokens), decode (audio).</summary>
/// <remarks>
/// Load one for each model and keep it: it is made to be shared by all threads of a
/// process, and requests that run at once cost less than one after the other.
/// Each stage has a thread of its own; no member blocks the caller on the models' work.
/// </remarks>
/// <example>
/// <code>
/// await using var pipeline = await TtsPipeline.LoadAsync();
/// await foreach (var chunk in pipeline.SynthesizeAsync(new SynthesisRequest { Text = "Hello." }))
///     Play(chunk.Samples);
/// </code>
/// </example>
public sealed class TtsPipeline : ITtsPipeline
{
    private readonly ReplicaSet _engine;
    private readonly TimbreStore _timbres;
    private readonly PresetVoices _presets;
    private readonly RequestValidator _validator;
    private readonly ISpeechEncoder _encoder;

    internal TtsPipeline(TtsModelInfo model, ReplicaSet engine, TimbreStore timbres, PresetVoices presets, RequestValidator validator,
        ISpeechEncoder encoder)
    {
        Model = model;
        _engine = engine;
        _timbres = timbres;
        _presets = presets;
        _validator = validator;
        _encoder = encoder;
    }

    /// <summary>The folder, beside the application, of the model that is loaded where none is named.</summary>
    public static string DefaultModelPath => Path.Combine(AppContext.BaseDirectory, "models", "lighttts-tiny-en");

    /// <inheritdoc/>
    public TtsModelInfo Model { get; }

    /// <inheritdoc/>
    public ITimbreStore Timbres => _timbres;

    /// <inheritdoc/>
    public IReadOnlyList<string> Styles => _engine.Styles.Names;

    /// <inheritdoc/>
    public TtsPipelineStatus Status => _engine.Status();

    /// <summary>Loads a model.</summary>
    /// <param name="options">What to load and where to run it. Default: the embedded English voice on the best device.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="cancellationToken">Gives up loading; what was loaded is freed.</param>
    /// <exception cref="TtsModelLoadException">The model directory, or a file in it,
    /// cannot be used; the message says which and what cures it.</exception>
    /// <exception cref="TtsBackendException">A native backend is missing or the device
    /// cannot be had; the message names the package to add.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<TtsPipeline> LoadAsync(TtsPipelineOptions? options = null, IProgress<TtsLoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options = (options ?? new TtsPipelineOptions()).Validated();
        cancellationToken.ThrowIfCancellationRequested();
        return Task.Run(() => Load(options, progress, null, cancellationToken), cancellationToken);
    }

    /// <summary>Loads a model; its parts may be put into others, which then own them.</summary>
    internal static TtsPipeline Load(TtsPipelineOptions options, IProgress<TtsLoadProgress>? progress, Func<ModelParts, ModelParts>? wrap,
        CancellationToken cancellationToken) => new TtsPipelineLoading(options, progress, wrap).Load(cancellationToken);

    /// <summary>Writes the flow's estimator of a model directory as an ONNX file that keeps a stream's past, so that ONNX Runtime can decode streams,
    /// too: <c>flow.decoder.estimator.streaming.fp32.onnx</c>, which is used where it lies in the directory and
    /// <see cref="TtsPipelineOptions.Decoder"/> lets it.</summary>
    /// <param name="options">Which model; where libtorch's natives are. Default: the embedded English voice.</param>
    /// <param name="folder">Where to write it. Default: into the model directory.</param>
    /// <param name="cancellationToken">Gives up before the file is written.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="TtsModelLoadException">The model directory cannot be used.</exception>
    /// <exception cref="TtsBackendException">libtorch's natives are missing.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static Task<string> ExportOnnxAsync(TtsPipelineOptions? options = null, string? folder = null,
        CancellationToken cancellationToken = default)
    {
        options = (options ?? new TtsPipelineOptions()).Validated();
        return Task.Run(() =>
        {
            var directory = ModelDirectory.Open(options.ModelPath ?? DefaultModelPath);
            TorchRuntime.EnsureLoaded(options.NativeLibraryPath);
            return EstimatorExport.Write(directory, folder ?? directory.Files.Root, cancellationToken);
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        _validator.Check(request, streamsText: false);
        _engine.Styles.Check(request);
        return RunAsync(request, null, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<AudioChunk> SynthesizeAsync(IAsyncEnumerable<string> text, SynthesisRequest? request = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        request ??= new SynthesisRequest();
        _validator.Check(request, streamsText: true);
        _engine.Styles.Check(request);
        return RunAsync(request, text, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<AudioChunk> ConvertAsync(AudioClip source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        SourceAudio.Check(source);
        return ConvertAsync(request, source, null, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<AudioChunk> ConvertAsync(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return ConvertAsync(request, null, source, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        _validator.CheckText(request);
        return new ValueTask<IReadOnlyList<SpokenText>>(Task.Run<IReadOnlyList<SpokenText>>(() =>
        {
            List<SpokenText> spoken = [];
            foreach (var piece in _encoder.Prepare(request))
            {
                cancellationToken.ThrowIfCancellationRequested();
                spoken.Add(new SpokenText(piece.Text, piece.Source));
            }
            return spoken;
        }, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task AddStyleAsync(string name, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(path);
        if (!StyleFile.IsName(name))
            throw new ArgumentException($"'{RequestValidator.Shown(name)}' cannot be a style's name: use 1 to 64 letters, digits and . _ -",
            nameof(name));
        if (Styles.Contains(name))
            throw new ArgumentException($"There is a style '{name}' already. Remove it first, or take another name.", nameof(name));
        await _engine.AddStyleAsync(name, path, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == _engine.Styles.Default)
            throw new ArgumentException($"'{name}' is the style of requests that name none; it stays as long as the pipeline.", nameof(name));
        return _engine.RemoveStyleAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => _engine.DrainAsync(timeout, cancellationToken);

    /// <summary>Ends what runs, waits until the stages have freed their models, and closes the timbre store. More than once is harmless.</summary>
    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync().ConfigureAwait(false);
        _timbres.Dispose();
    }

    private async IAsyncEnumerable<AudioChunk> RunAsync(SynthesisRequest request, IAsyncEnumerable<string>? text,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var timbre = request.Timbre ?? await FindVoiceAsync(request.Voice, cancellationToken).ConfigureAwait(false);
        RequestValidator.CheckVoice(request, timbre);
        using var lease = _timbres.Lease(timbre);
        await foreach (var chunk in _engine.RunAsync(request, timbre.Features, request.FlowSteps
            ?? Model.FlowSteps, text, cancellationToken).ConfigureAwait(false))
            yield return chunk;
    }

    private IAsyncEnumerable<AudioChunk> ConvertAsync(ConversionRequest? request, AudioClip? clip, IAsyncEnumerable<AudioClip>? pieces,
        CancellationToken cancellationToken)
    {
        var common = (request ?? new ConversionRequest()).ToSynthesis();
        _validator.Check(common, streamsText: true);
        return RunConversionAsync(common, clip, pieces, cancellationToken);
    }

    private async IAsyncEnumerable<AudioChunk> RunConversionAsync(SynthesisRequest request, AudioClip? clip, IAsyncEnumerable<AudioClip>? pieces,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var timbre = request.Timbre ?? await FindVoiceAsync(request.Voice, cancellationToken).ConfigureAwait(false);
        using var lease = _timbres.Lease(timbre);
        await foreach (var chunk in _engine.ConvertAsync(request, timbre.Features, request.FlowSteps ?? Model.FlowSteps, clip, pieces,
            cancellationToken).ConfigureAwait(false))
            yield return chunk;
    }

    private async ValueTask<Timbre> FindVoiceAsync(string? name, CancellationToken cancellationToken)
    {
        if ((name ?? Model.DefaultVoice) is not { } wanted)
            throw new TtsRequestException("The request names no voice and the model has no preset voices. Learn one from reference audio with "
            + "Timbres.AddAsync.");
        if (await _timbres.GetAsync(wanted, cancellationToken).ConfigureAwait(false) is { } stored)
            return stored;
        return await _presets.FindAsync(wanted, cancellationToken).ConfigureAwait(false)
            ?? throw new TtsRequestException(
                $"There is no voice '{RequestValidator.Shown(wanted)}'. The model's voices are: "
                + $"{string.Join(", ", Model.Voices.Select(voice => voice.Name))}. "
                + "Others are added with Timbres.AddAsync.");
    }
}
