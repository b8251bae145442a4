using Microsoft.ML.OnnxRuntime;

namespace LightTts.Onnx;

/// <summary>A loaded ONNX model, run on the caller's thread with inputs and outputs by position.</summary>
/// <remarks>
/// Set up to be a quiet guest: no telemetry, worker threads that sleep between runs instead of spinning, no memory arena that keeps the largest run's
/// memory. Not for use from several threads at once (one stage owns it).
/// </remarks>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string[] _inputs;
    private readonly string[] _outputs;
    private readonly RunOptions _run = new();

    private OnnxSession(string path, InferenceSession session, IReadOnlyList<string> providers)
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
    public IReadOnlyList<string> Providers { get; }

    public int Inputs => _inputs.Length;

    /// <summary>Loads a model.</summary>
    /// <exception cref="TtsModelLoadException">The file is missing or is not a model that ONNX Runtime can run.</exception>
    /// <exception cref="TtsBackendException">ONNX Runtime's native library is missing, or the device that is demanded cannot be had.</exception>
    public static OnnxSession Load(string path, OnnxOptions options)
    {
        if (!File.Exists(path))
            throw new TtsModelLoadException($"The model file '{path}' does not exist. Download the whole model directory again.");
        try
        {
            OnnxTelemetry.TurnOff();
            using var settings = new SessionOptions
            {
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
                EnableCpuMemArena = false,
                EnableMemoryPattern = false, // patterns are kept for each input length, and every clip has its own
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            if (options.Threads is { } threads)
                settings.IntraOpNumThreads = threads;
            settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            settings.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
            var providers = ExecutionProviders.Append(settings, options);
            return new OnnxSession(path, new InferenceSession(path, settings), providers);
        }
        catch (OnnxRuntimeException e)
        {
            throw new TtsModelLoadException($"'{path}' is not a model that ONNX Runtime can run. It may be incomplete (a Git LFS pointer, an "
                + "interrupted download): "
                + $"download it again. ({e.Message})", e);
        }
        // The managed package finds its natives in a type initializer, at whichever call comes first.
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new TtsBackendException("ONNX Runtime's native library is missing or has the wrong version. Add it to the application: "
                + "dotnet add package Microsoft.ML.OnnxRuntime (or Microsoft.ML.OnnxRuntime.Gpu for CUDA). The inner exception says where it was "
                + "looked for.", e);
        }
    }

    /// <summary>The shape that the model declares for an input; -1 where it may vary.</summary>
    public IReadOnlyList<int> InputShape(int index) => _session.InputMetadata[_inputs[index]].Dimensions;

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
