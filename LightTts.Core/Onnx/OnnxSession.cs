using LightTts.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace LightTts.Onnx;

/// <summary>A loaded ONNX model, run on the caller's thread with inputs and outputs by position.</summary>
/// <remarks>
/// Set up to be a quiet guest: no telemetry, worker threads that sleep between runs instead of spinning, no memory arena that keeps the largest run's
/// memory.
/// </remarks>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string[] _inputs;
    private readonly string[] _outputs;
    private readonly RunOptions _run = new();

    private OnnxSession(string path, InferenceSession session, IReadOnlyList<ExecutionProvider> providers)
    {
        Path = path;
        _session = session;
        _inputs = [.. session.InputNames];
        _outputs = [.. session.OutputNames];
        Providers = providers;
    }

    /// <summary>The model's file.</summary>
    public string Path { get; }

    /// <summary>Providers in front of the CPU.</summary>
    public IReadOnlyList<ExecutionProvider> Providers { get; }

    /// <summary>The first of them, or the CPU, for people.</summary>
    public string Shown => ExecutionProviders.Shown(Providers is [var first, ..] ? first : ExecutionProvider.Cpu);

    public int Inputs => _inputs.Length;

    public IReadOnlyList<string> InputNames => _inputs;

    public IReadOnlyList<string> OutputNames => _outputs;

    /// <summary>What its maker wrote beside the model.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _session.ModelMetadata.CustomMetadataMap;

    /// <summary>Loads a model, on the first of the execution providers that can be had and that take it.</summary>
    /// <exception cref="TtsModelLoadException">The file is missing or is not a model that ONNX Runtime can run.</exception>
    /// <exception cref="TtsBackendException">ONNX Runtime's native library is missing, or no provider can be had.</exception>
    /// <exception cref="OperationCanceledException"><see cref="OnnxOptions.Cancellation"/> was cancelled.</exception>
    public static OnnxSession Load(string path, OnnxOptions options)
    {
        if (!File.Exists(path))
            throw new TtsModelLoadException($"The model file '{path}' does not exist. Download the whole model directory again.");
        try
        {
            OnnxTelemetry.TurnOff();
            List<string> reasons = [];
            var session = Open(path, options, reasons);
            if (reasons.Count > 0)
                LogMessages.OnnxFallback(options.Log, System.IO.Path.GetFileName(path), session.Shown, string.Join("; ", reasons));
            return session;
        }
        catch (NoProviderException e)
        {
            throw new TtsBackendException($"ONNX Runtime can use none of the execution providers that were asked for ({e.Message}). Add "
                + $"{nameof(ExecutionProvider.Cpu)} to {nameof(TtsPipelineOptions)}.{nameof(TtsPipelineOptions.OnnxRuntime)}."
                + $"{nameof(OnnxRuntimeOptions.Providers)}, or install "
                + "what is missing: the package Microsoft.ML.OnnxRuntime.Gpu, NVIDIA's driver, CUDA, cuDNN and, for TensorRT, TensorRT.", e);
        }
        catch (OnnxRuntimeException) when (options.Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(options.Cancellation);
        }
        catch (OnnxRuntimeException e)
        {
            throw Damaged(path, e);
        }
        // The managed package finds its natives in a type initializer, at whichever call comes first.
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new TtsBackendException("ONNX Runtime's native library is missing or has the wrong version. Add it to the application: "
                + "dotnet add package Microsoft.ML.OnnxRuntime (or Microsoft.ML.OnnxRuntime.Gpu for CUDA). The inner exception says where it was "
                + "looked for.", e);
        }
    }

    /// <summary>What is told of a file that is no whole model.</summary>
    internal static TtsModelLoadException Damaged(string path, Exception cause) => new(
        $"'{path}' is not a model that ONNX Runtime can run. It may be incomplete (a Git LFS pointer, an interrupted download): "
        + $"download it again. ({cause.Message})", cause);

    private static OnnxSession Open(string path, OnnxOptions options, List<string> reasons)
    {
        while (true)
        {
            options.Cancellation.ThrowIfCancellationRequested();
            using var settings = Settings(options);
            var engines = options.TensorRt.FolderFor(path);
            var providers = ExecutionProviders.Append(settings, options, engines, reasons);
            try
            {
                if (providers.Contains(ExecutionProvider.TensorRt) && engines is not null)
                    PrepareEngines(engines, options);
                using var cancel = options.Cancellation.UnsafeRegister(
                    static state => ((SessionOptions)state!).SetLoadCancellationFlag(true), settings);
                return new OnnxSession(path, new InferenceSession(path, settings), providers);
            }
            // A provider that is there may still not take this model, or find too little memory for it.
            catch (OnnxRuntimeException e) when (providers.Count > 0 && !options.Cancellation.IsCancellationRequested)
            {
                var rest = options.Providers.SkipWhile(provider => provider != providers[0]).Skip(1).ToList();
                if (rest.Count == 0)
                    throw;
                reasons.Add($"{ExecutionProviders.Shown(providers[0])}: {ExecutionProviders.Reason(e)}");
                options = options with { Providers = rest };
            }
        }
    }

    private static SessionOptions Settings(OnnxOptions options)
    {
        var settings = new SessionOptions
        {
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            EnableCpuMemArena = options.KeepMemory,
            EnableMemoryPattern = false, // patterns are kept for each input length, and every clip has its own
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        if (options.Threads is { } threads)
            settings.IntraOpNumThreads = threads;
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        settings.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        return settings;
    }

    private static void PrepareEngines(string folder, OnnxOptions options)
    {
        try
        {
            Directory.CreateDirectory(folder);
            if (Directory.EnumerateFiles(folder, "*.engine").Any())
                return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TtsBackendException($"The folder for TensorRT's engines cannot be used: {e.Message} Set "
                + $"{nameof(TtsPipelineOptions)}.{nameof(TtsPipelineOptions.OnnxRuntime)}."
                + $"{nameof(OnnxRuntimeOptions.CacheDirectory)} to one that can be written to.", e);
        }
        options.Building("building TensorRT's engine, once for this machine: this takes minutes");
    }

    /// <summary>The shape that the model declares for an input; -1 where it may vary.</summary>
    public IReadOnlyList<int> InputShape(int index) => _session.InputMetadata[_inputs[index]].Dimensions;

    /// <summary>The shape that the model declares for an input; null where it has no such input.</summary>
    public IReadOnlyList<int>? InputShape(string name) => _session.InputMetadata.TryGetValue(name, out var input) ? input.Dimensions : null;

    /// <summary>The shape that the model declares for an output; null where it has no such output.</summary>
    public IReadOnlyList<int>? OutputShape(string name) => _session.OutputMetadata.TryGetValue(name, out var output) ? output.Dimensions : null;

    /// <summary>Runs the model into memory of the caller's; may be called by several threads at once.</summary>
    /// <exception cref="TtsSynthesisException">ONNX Runtime failed.</exception>
    public void Run(IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputs, IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<OrtValue> outputs)
    {
        try
        {
            _session.Run(_run, inputNames, inputs, outputNames, outputs);
        }
        catch (OnnxRuntimeException e)
        {
            throw new TtsSynthesisException($"'{System.IO.Path.GetFileName(Path)}' failed: {e.Message}", e);
        }
    }

    /// <summary>Runs the model.</summary>
    /// <typeparam name="T">What becomes of the first output.</typeparam>
    /// <param name="inputs">The inputs in the model's order; they stay the caller's.</param>
    /// <param name="read">Copies what is needed out of the first output, which is gone afterwards.</param>
    /// <exception cref="TtsSynthesisException">ONNX Runtime failed.</exception>
    public T Run<T>(IReadOnlyCollection<OrtValue> inputs, Func<OrtValue, T> read)
    {
        try
        {
            using var outputs = _session.Run(_run, _inputs, inputs, _outputs);
            return read(outputs[0]);
        }
        catch (OnnxRuntimeException e)
        {
            throw new TtsSynthesisException($"'{System.IO.Path.GetFileName(Path)}' failed: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
