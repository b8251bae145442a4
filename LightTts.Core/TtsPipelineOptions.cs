using Microsoft.Extensions.Logging;

namespace LightTts;

/// <summary>How a <see cref="TtsPipeline"/> is set up.</summary>
public sealed class TtsPipelineOptions
{
    /// <summary>The model directory, in the layout of CosyVoice2 or CosyVoice3.</summary>
    /// <value>Default null: <c>models/lighttts-tiny-en</c> beside the application.</value>
    public string? ModelPath { get; set; }

    /// <summary>Where the models run.</summary>
    /// <remarks>On CUDA the process's TF32 switches (cuDNN and matrix products) are turned off: the vocoder's phases do not bear ten bits.</remarks>
    /// <value>Default <see cref="ComputeDevice.Auto"/>.</value>
    public ComputeDevice Device { get; set; }

    /// <summary>Which CUDA device.</summary>
    /// <value>At least 0. Default 0.</value>
    public int DeviceIndex { get; set; }

    /// <summary>Several devices, each of which gets the models' weights; <see cref="Device"/> and <see cref="DeviceIndex"/> are then not looked at.
    /// A request runs on the device that has the fewest and stays there; a device that fails takes only the requests with it that run on it
    /// (but for CUDA's sticky errors, which the process gets from all its cards).
    /// Memory (<see cref="KvCacheTokens"/>, <see cref="FlowCacheBytes"/>) and <see cref="MaxLanguageRows"/> are each device's,
    /// <see cref="MaxActiveRequests"/> is that of all together.</summary>
    /// <value>At least one, no CUDA device twice. Default null: the one device that <see cref="Device"/> says.</value>
    public IReadOnlyList<TtsDevice>? Devices { get; set; }

    /// <summary>The arithmetic of the large matrix products.</summary>
    /// <value>Default <see cref="ComputePrecision.Auto"/>.</value>
    public ComputePrecision Precision { get; set; }

    /// <summary>The arithmetic of the language model's products, where it is to be another than <see cref="Precision"/>.</summary>
    /// <value>Default null: as <see cref="Precision"/>.</value>
    public ComputePrecision? LanguagePrecision { get; set; }

    /// <summary>The arithmetic of the flow's products, where it is to be another than <see cref="Precision"/>.</summary>
    /// <value>Default null: as <see cref="Precision"/>.</value>
    public ComputePrecision? FlowPrecision { get; set; }

    /// <summary>What computes the velocity of the flow, which is most of the work of decoding.</summary>
    /// <remarks>ONNX Runtime decodes with <c>flow.decoder.estimator.streaming.fp32.onnx</c> where <c>speak models export-onnx</c> has put it into the
    /// model directory, otherwise whole speech only with the directory's <c>flow.decoder.estimator.fp32.onnx</c>. What it cannot compute, and
    /// everything once it has failed, LightTts computes itself.</remarks>
    /// <value>Default <see cref="DecoderEngine.Auto"/>.</value>
    public DecoderEngine Decoder { get; set; }

    /// <summary>How ONNX Runtime runs the feature extractors and, where it decodes, the flow's estimator.</summary>
    /// <value>Default: TensorRT, CUDA or the CPU, whichever is there.</value>
    public OnnxRuntimeOptions OnnxRuntime { get; set; } = new();

    /// <summary>Threads that one operation may use on the CPU.</summary>
    /// <remarks>libtorch keeps one number for the process: threads of the application that use TorchSharp later begin with what LightTts set last,
    /// which may be less than this; <c>torch.set_num_threads</c> on such a thread sets its own.</remarks>
    /// <value>1 to 1,024. Default null: one for each core the process may use.</value>
    public int? Threads { get; set; }

    /// <summary>A folder with the native libraries of libtorch (a PyTorch install's <c>torch/lib</c>, say) instead of a NuGet package's.</summary>
    /// <value>Default null: the natives beside the application.</value>
    public string? NativeLibraryPath { get; set; }

    /// <summary>Requests that may be in the pipeline at once, those that speak and those
    /// that wait; one more fails with <see cref="TtsQueueFullException"/>.</summary>
    /// <value>At least 1. Default 64.</value>
    public int MaxActiveRequests { get; set; } = 64;

    /// <summary>Sequences (a sentence of a request each) in one step of a language model.</summary>
    /// <value>1 to 256. Default null: 16 on the CPU, 64 on CUDA.</value>
    public int? MaxLanguageRows { get; set; }

    /// <summary>How long a request may take when it does not say so itself.</summary>
    /// <value>Above zero and at most 40 days. Default null: no limit.</value>
    public TimeSpan? RequestTimeout { get; set; }

    /// <summary>How long a source of streamed text
    /// or speech may give nothing before its request fails with <see cref="TtsTimeoutException"/>.</summary>
    /// <value>Above zero and at most 40 days; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. Default 30 s.</value>
    public TimeSpan TextIdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a source of streamed text may pause before the sentences that
    /// are finished are spoken without waiting for what follows them.</summary>
    /// <value>Above zero and at most 40 days; <see cref="Timeout.InfiniteTimeSpan"/> for
    /// never. Default 0.5 s. Where a source pauses between sentences, that decides where
    /// the text is cut, and so what is drawn.</value>
    public TimeSpan TextPause { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How often a sentence is drawn again whose speech is silent or cannot be its text, as long as none of it was decoded.</summary>
    /// <value>0 to 10. Default 2. A sentence that is silent even then fails its request with <see cref="TtsSynthesisException"/>.</value>
    public int MaxRedraws { get; set; } = 2;

    /// <summary>The most solver steps that a request may ask for (<see cref="SynthesisRequest.FlowSteps"/>): they are what it costs.</summary>
    /// <value>1 to 100. Default 50. What a model recommends may be more.</value>
    public int MaxFlowSteps { get; set; } = 50;

    /// <summary>Positions in the language model's key/value cache, shared by all requests.</summary>
    /// <value>At least 1,024. Default null: 16,384 on the CPU, 65,536 on CUDA.</value>
    public int? KvCacheTokens { get; set; }

    /// <summary>Bytes that the language models ("styles") beside the first may take together, their key/value caches included. One that does
    /// not fit is refused; removing another first, which waits for its requests, makes room.</summary>
    /// <value>At least 0. Default null: as much as there is.</value>
    public long? StyleBytes { get; set; }

    /// <summary>Bytes that the flow's streaming caches may take together, the prompts of voices included, which may take half of them. When they
    /// are taken, the stream whose listener has the most audio ahead computes its past again with each chunk instead of keeping it,
    /// until there is room.</summary>
    /// <value>At least 0. Default null: 1.25 GiB on the CPU, taken as streams need them; on CUDA half of the memory that is free when the model has
    /// been loaded, taken at once. For each second of streamed audio the embedded voice needs 4.3 MB at 3 steps, CosyVoice3-0.5B at 10 steps 90 MB
    /// in bfloat16 and 48 MB in int8, and CosyVoice2-0.5B 115 MB.</value>
    public long? FlowCacheBytes { get; set; }

    /// <summary>The most characters of text that one request may carry.</summary>
    /// <value>At least 1. Default 1,000,000.</value>
    public int MaxTextLength { get; set; } = 1_000_000;

    /// <summary>How English is read where a request's <see cref="SynthesisRequest.Language"/> does not say it.</summary>
    /// <value>Default <see cref="EnglishReading.American"/>.</value>
    public EnglishReading English { get; set; }

    /// <summary>What becomes of emoji where a request does not say it.</summary>
    /// <value>Default <see cref="EmojiReading.Dropped"/>.</value>
    public EmojiReading Emoji { get; set; }

    /// <summary>How words are pronounced, in every request.</summary>
    /// <value>Default null: as the model thinks.</value>
    public PronunciationDictionary? Pronunciations { get; set; }

    /// <summary>Audio that may wait for its consumer before the request pauses, so that a slow reader holds back only itself.</summary>
    /// <value>Above zero. Default 30 s.</value>
    public TimeSpan MaxBufferedAudio { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How voices that are learnt from reference audio are kept.</summary>
    /// <value>Default: in this process and in a segment that the user's processes share.</value>
    public TimbreStoreOptions Timbres { get; set; } = new();

    /// <summary>Where log messages go; the category is "LightTts".</summary>
    /// <value>Default null: nowhere.</value>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock of deadlines and measurements.</summary>
    /// <value>Default <see cref="System.TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Looks for options that are out of their range.</summary>
    /// <returns>All that are, each with what it may be; empty where a pipeline can be loaded with these.</returns>
    public IReadOnlyList<OptionFault> FindFaults()
    {
        var faults = new OptionFaults();
        faults.RequireDefined(Device);
        faults.Require(DeviceIndex >= 0, DeviceIndex, "CUDA devices count from 0.");
        CheckDevices(faults);
        faults.RequireDefined(Precision);
        faults.RequireDefined(LanguagePrecision ?? default, nameof(LanguagePrecision));
        faults.RequireDefined(FlowPrecision ?? default, nameof(FlowPrecision));
        faults.RequireDefined(Decoder);
        faults.Require(OnnxRuntime is not null, OnnxRuntime, "Leave it as it is for the defaults.");
        if (OnnxRuntime is not null)
            faults.AddRange(OnnxRuntime.FindFaults());
        // Beyond it, starting them takes longer than anybody waits.
        faults.Require(Threads is null or (>= 1 and <= 1024), Threads, "Set 1 to 1024, or leave it out for all cores.");
        faults.Require(MaxActiveRequests >= 1, MaxActiveRequests, "Set at least 1 (default 64).");
        faults.Require(MaxLanguageRows is null or (>= 1 and <= 256), MaxLanguageRows, "Set 1 to 256, or leave it out for the device's default.");
        faults.Require(KvCacheTokens is null or >= 1024, KvCacheTokens, "Set at least 1024, or leave it out for the device's default.");
        faults.Require(MaxRedraws is >= 0 and <= 10, MaxRedraws, "Set 0 to 10 (default 2).");
        faults.Require(MaxFlowSteps is >= 1 and <= 100, MaxFlowSteps, "Set 1 to 100 (default 50).");
        faults.Require(FlowCacheBytes is null or >= 0, FlowCacheBytes,
            "Set 0 (no cache) or more bytes, or leave it out for the device's default.");
        faults.Require(StyleBytes is null or >= 0, StyleBytes, "Set 0 (one language model only) or more bytes, or leave it out for no limit.");
        faults.Require(MaxTextLength >= 1, MaxTextLength, "Set at least 1 character.");
        faults.Require(MaxBufferedAudio > TimeSpan.Zero, MaxBufferedAudio, "Set a time above zero (default 00:00:30).");
        faults.RequireTime(RequestTimeout, "leave it out for no limit");
        faults.RequireTime(TextIdleTimeout, "Timeout.InfiniteTimeSpan (-00:00:00.001) for no limit", mayBeInfinite: true);
        faults.RequireTime(TextPause, "Timeout.InfiniteTimeSpan (-00:00:00.001) for never", mayBeInfinite: true);
        faults.RequireDefined(English);
        faults.RequireDefined(Emoji);
        faults.Require(Timbres is not null, Timbres, "Leave it as it is for the defaults.");
        faults.Require(TimeProvider is not null, TimeProvider, "Leave it as it is for the system's clock.");
        if (Timbres is not null)
            faults.AddRange(Timbres.FindFaults());
        return faults.Found;
    }

    /// <summary>The devices that are meant, at least one.</summary>
    internal IReadOnlyList<TtsDevice> AllDevices => Devices ?? [new TtsDevice(Device, DeviceIndex)];

    /// <summary>These options for one of the devices.</summary>
    internal TtsPipelineOptions For(TtsDevice device)
    {
        var copy = (TtsPipelineOptions)MemberwiseClone();
        (copy.Devices, copy.Device, copy.DeviceIndex) = (null, device.Kind, device.Index);
        return copy;
    }

    /// <summary>Checks the options and returns a copy that later changes do not reach.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message says which, and what it may be.</exception>
    internal TtsPipelineOptions Validated()
    {
        if (FindFaults() is [var fault, ..])
            throw new ArgumentOutOfRangeException(fault.Option, fault.Value,
                $"{nameof(TtsPipelineOptions)}.{fault.Option} is out of its range. {fault.Cure}");
        var copy = (TtsPipelineOptions)MemberwiseClone();
        copy.Devices = Devices is null ? null : [.. Devices];
        return copy;
    }

    private void CheckDevices(OptionFaults faults)
    {
        if (Devices is null)
            return;
        var shown = string.Join(", ", Devices);
        faults.Require(Devices.Count > 0, shown, "Name at least one device, or leave it out.", nameof(Devices));
        faults.Require(Devices.All(device => device.Kind is ComputeDevice.Cpu or ComputeDevice.Cuda && device.Index >= 0), shown,
            "Name each as Cpu or Cuda, with an index from 0.", nameof(Devices));
        var cards = Devices.Where(device => device.Kind == ComputeDevice.Cuda).ToList();
        faults.Require(cards.Distinct().Count() == cards.Count, shown, "Name each CUDA device once: its requests share its batches anyway.",
            nameof(Devices));
    }
}
