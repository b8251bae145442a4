using System.Diagnostics;
using LightTts.Cuda;
using LightTts.Diagnostics;
using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Pipeline;
using LightTts.Timbres;
using LightTts.Torch;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts;

/// <summary>Makes a pipeline of a model directory: natives, models on each device, stages that are ready, voices.</summary>
/// <param name="options">What to load and where to run it; valid.</param>
/// <param name="progress">Told how far it has come.</param>
/// <param name="wrap">Puts a model's parts into others, which then own them; null leaves them.</param>
internal sealed class TtsPipelineLoading(TtsPipelineOptions options, IProgress<TtsLoadProgress>? progress, Func<ModelParts, ModelParts>? wrap)
{
    private const long LeastDeviceMemory = 1L << 30; // the smallest model's weights, caches and working memory take more

    /// <summary>Loads; blocks until the pipeline can speak.</summary>
    /// <exception cref="TtsModelLoadException">The model directory cannot be used, or there is too little memory for it.</exception>
    /// <exception cref="TtsBackendException">A native backend is missing, or the device cannot be had or made ready.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what was loaded is freed.</exception>
    public TtsPipeline Load(CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var processEnd = ProcessEnd.Register(() =>
        {
            cancel.Cancel();
            return ended.Task;
        });
        try
        {
            return LoadParts(cancel.Token);
        }
        catch (OperationCanceledException e) when (e.CancellationToken == cancel.Token && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e) when (DeviceMemoryFault.Of(e) is { } numbers)
        {
            throw new TtsBackendException(
                $"There is not enough memory on the device for the model in '{options.ModelPath ?? TtsPipeline.DefaultModelPath}'. {numbers} "
                + $"End other programs that use the device, choose another ({nameof(options.DeviceIndex)}), or set a smaller "
                + $"{nameof(options.KvCacheTokens)} or {nameof(options.FlowCacheBytes)}.", e);
        }
        catch (Exception e) when (e is not TtsException && DeviceLoss.Is(e))
        {
            throw new TtsBackendException($"A CUDA device is lost to this process ({e.Message.ReplaceLineEndings(" ")}), and stays so until it ends. "
                + "Start it again.", e);
        }
        catch (Exception e) when (IsOutOfMemory(e))
        {
            throw new TtsModelLoadException($"There is not enough memory for the model in '{options.ModelPath ?? TtsPipeline.DefaultModelPath}'. "
                + $"Free some, raise the process's limit (ulimit -v), or set a smaller {nameof(options.KvCacheTokens)}.", e);
        }
        finally
        {
            ended.SetResult();
        }
    }

    private TtsPipeline LoadParts(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var log = options.LoggerFactory?.CreateLogger("LightTts") ?? NullLogger.Instance;
        var path = options.ModelPath ?? TtsPipeline.DefaultModelPath;
        var (files, _) = ModelFiles.Find(path);
        if (AddressSpace.Fault([files.Flow, files.Vocoder, .. files.Styles.Select(style => style.Path)]) is { } tooLittle)
            throw new TtsModelLoadException(tooLittle);
        // The natives come in while the directory is read.
        var natives = Task.Run(() => TorchRuntime.EnsureLoaded(options.NativeLibraryPath), CancellationToken.None);
        var directory = OpenBeside(natives, path);
        var devices = options.AllDevices;
        // Configuration, natives, warm-up; on each device tokenizer, flow, vocoder, voice extractor, and each language model.
        var steps = 3 + devices.Count * (4 + directory.Files.Styles.Count);
        var done = 0;
        Loaded("configuration");
        natives.GetAwaiter().GetResult();
        // All are opened before any is loaded: one that cannot be had is found at once.
        var opened = devices.Select(device => (Device: TorchDevice.Open(device.Kind, device.Index, options.Precision), Options: options.For(device)))
            .ToList();
        Loaded("native libraries");
        if (opened[0].Device.IsCuda && !CudaStream.IsSupported)
            LogMessages.NoStreams(log);
        foreach (var (device, _) in opened)
            if (device.IsCuda)
            {
                var index = device.Device.index;
                CudaMemory.Require(index);
                if (CudaMemory.Free(index) < LeastDeviceMemory)
                    WorkingMemory.Release(device.Device); // of models that this process had before
                CudaStream.Prepare(index, LeastDeviceMemory);
                FirstGraph.Record(index);
            }
        cancellationToken.ThrowIfCancellationRequested();
        var admission = new Admission();
        List<Replica> replicas = [];
        try
        {
            List<(CosyVoiceModel Model, ModelParts Parts)> loaded = [];
            foreach (var (device, own) in opened)
            {
                var one = CosyVoiceModel.Load(directory, device, own, Loaded, Building, log, cancellationToken);
                if (one.KernelFault is { } fault)
                    LogMessages.NoKernels(log, fault);
                loaded.Add((one, wrap?.Invoke(one.Parts) ?? one.Parts));
                replicas.Add(new Replica(new SynthesisEngine(one.Directory.Name, loaded[^1].Parts, own, options.TimeProvider, log, admission,
                    opened.Count > 1 ? ReplicaSet.Label(devices, replicas.Count) : null), one.LoadStyle));
            }
            var engine = new ReplicaSet(replicas, options.MaxActiveRequests);
            var (model, parts) = loaded[0];
            var info = CreateInfo(model) with { Devices = [.. loaded.Select(one => DeviceOf(one.Model))] };
            WaitForStart(engine, info.DeviceName, cancellationToken);
            NativeHeap.GiveBack();
            Loaded("warm-up");
            cancellationToken.ThrowIfCancellationRequested();
            var flow = directory.Config.Flow;
            var shape = new TimbreShape(flow.MelBands, flow.SpeakerEmbedding, flow.VocabularySize);
            var timbres = new TimbreStore(options.Timbres, parts.Encoder.ExtractorId, engine.ExtractAsync, shape,
                directory.Voices.Select(voice => voice.Name), log, options.TimeProvider);
            LogMessages.Loaded(log, info.Name, info.Family.ToString(), info.Parameters, info.DeviceName, watch.Elapsed.TotalMilliseconds);
            return new TtsPipeline(info, engine, timbres, new PresetVoices(directory, model.Tokenizer, timbres), new RequestValidator(options, info),
                parts.Encoder);
        }
        catch
        {
            foreach (var replica in replicas)
                replica.Engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }

        void Loaded(string step) => progress?.Report(new TtsLoadProgress(step, (double)Interlocked.Increment(ref done) / steps));

        void Building(string step) => progress?.Report(new TtsLoadProgress(step, (double)Volatile.Read(ref done) / steps));
    }

    /// <summary>Opens the model directory; where that fails, what is done beside it has ended, too.</summary>
    private static ModelDirectory OpenBeside(Task other, string path)
    {
        try
        {
            return ModelDirectory.Open(path);
        }
        catch
        {
            ((IAsyncResult)other).AsyncWaitHandle.WaitOne();
            _ = other.Exception;
            throw;
        }
    }

    private static void WaitForStart(ReplicaSet engine, string device, CancellationToken cancellationToken)
    {
        try
        {
            engine.StartedAsync().WaitAsync(cancellationToken).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (TtsException or OperationCanceledException) && !IsOutOfMemory(e) && DeviceMemoryFault.Of(e) is null)
        {
            throw new TtsBackendException($"The models could not be made ready on {device}: {e.Message} Update the driver or the native backend, or "
                + $"set {nameof(TtsPipelineOptions)}.{nameof(TtsPipelineOptions.Device)} to {nameof(ComputeDevice.Cpu)}.", e);
        }
    }

    // libtorch's allocator has an exception of its own, which arrives here as text.
    private static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException || (e.InnerException ?? e).Message.Contains("can't allocate memory", StringComparison.Ordinal)
        || e.InnerException is OutOfMemoryException;

    private static TtsDevice DeviceOf(CosyVoiceModel model) =>
        model.Device.IsCuda ? TtsDevice.Cuda(model.Device.Device.index) : TtsDevice.Cpu;

    private static TtsModelInfo CreateInfo(CosyVoiceModel model) => new()
    {
        Name = model.Directory.Name,
        Family = model.Directory.Config.Generation.Family,
        Path = model.Directory.Files.Root,
        SampleRate = model.Directory.Config.SampleRate,
        TokenRate = model.Directory.Config.TokenFrameRate,
        Languages = model.Directory.Languages,
        Voices = [.. model.Directory.Voices.Select(voice => new VoiceInfo(voice.Name, voice.Description, voice.Language))],
        DefaultVoice = model.Directory.DefaultVoice,
        FlowSteps = model.Directory.FlowSteps,
        Parameters = model.Parameters,
        License = model.Directory.License,
        Device = DeviceOf(model).Kind,
        DeviceIndex = DeviceOf(model).Index,
        Precision = model.Device.Precision,
    };
}
