namespace LightTts.Extensions;

/// <summary>How a hosted <see cref="ITtsPipeline"/> is loaded and run; flat, so that it
/// binds from configuration, environment variables and the command line alike.</summary>
/// <remarks>Read once, when the host starts: changes of the configuration reach the pipeline with the next start.</remarks>
public sealed class LightTtsOptions
{
    /// <inheritdoc cref="TtsPipelineOptions.ModelPath"/>
    public string? ModelPath { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.Device"/>
    public ComputeDevice Device { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.DeviceIndex"/>
    public int DeviceIndex { get; set; }

    /// <summary>Several devices, comma-separated, each of which gets the models' weights: <c>cuda:0,cuda:1</c>;
    /// see <see cref="TtsPipelineOptions.Devices"/>.</summary>
    /// <value>Default null: the one device that <see cref="Device"/> says.</value>
    public string? Devices { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.Precision"/>
    public ComputePrecision Precision { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.LanguagePrecision"/>
    public ComputePrecision? LanguagePrecision { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.FlowPrecision"/>
    public ComputePrecision? FlowPrecision { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.Decoder"/>
    public DecoderEngine Decoder { get; set; }

    /// <inheritdoc cref="OnnxRuntimeOptions.Providers"/>
    public IReadOnlyList<ExecutionProvider>? OnnxProviders { get; set; }

    /// <inheritdoc cref="OnnxRuntimeOptions.CacheDirectory"/>
    public string? OnnxCacheDirectory { get; set; }

    /// <inheritdoc cref="OnnxRuntimeOptions.HalfPrecision"/>
    public bool? OnnxHalfPrecision { get; set; }

    /// <inheritdoc cref="OnnxRuntimeOptions.WorkspaceBytes"/>
    public long OnnxWorkspaceBytes { get; set; } = 4L << 30;

    /// <inheritdoc cref="OnnxRuntimeOptions.MinFrames"/>
    public int OnnxMinFrames { get; set; } = 4;

    /// <inheritdoc cref="OnnxRuntimeOptions.OptimalFrames"/>
    public int OnnxOptimalFrames { get; set; } = 500;

    /// <inheritdoc cref="OnnxRuntimeOptions.MaxFrames"/>
    public int OnnxMaxFrames { get; set; } = 3000;

    /// <inheritdoc cref="TtsPipelineOptions.Threads"/>
    public int? Threads { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.NativeLibraryPath"/>
    public string? NativeLibraryPath { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.MaxActiveRequests"/>
    public int MaxActiveRequests { get; set; } = 64;

    /// <inheritdoc cref="TtsPipelineOptions.MaxLanguageRows"/>
    public int? MaxLanguageRows { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.RequestTimeout"/>
    public TimeSpan? RequestTimeout { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.TextPause"/>
    public TimeSpan TextPause { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <inheritdoc cref="TtsPipelineOptions.TextIdleTimeout"/>
    public TimeSpan TextIdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="TtsPipelineOptions.MaxRedraws"/>
    public int MaxRedraws { get; set; } = 2;

    /// <inheritdoc cref="TtsPipelineOptions.MaxFlowSteps"/>
    public int MaxFlowSteps { get; set; } = 50;

    /// <inheritdoc cref="TtsPipelineOptions.KvCacheTokens"/>
    public int? KvCacheTokens { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.StyleBytes"/>
    public long? StyleBytes { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.FlowCacheBytes"/>
    public long? FlowCacheBytes { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.MaxTextLength"/>
    public int MaxTextLength { get; set; } = 1_000_000;

    /// <inheritdoc cref="TtsPipelineOptions.English"/>
    public EnglishReading English { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.Emoji"/>
    public EmojiReading Emoji { get; set; }

    /// <summary>The file of a <see cref="PronunciationDictionary"/>: how words are
    /// pronounced, in every request. Read when the model is loaded.</summary>
    /// <value>Default null: none.</value>
    public string? Pronunciations { get; set; }

    /// <inheritdoc cref="TtsPipelineOptions.MaxBufferedAudio"/>
    public TimeSpan MaxBufferedAudio { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="TimbreStoreOptions.Shared"/>
    public bool ShareTimbres { get; set; } = true;

    /// <inheritdoc cref="TimbreStoreOptions.SegmentPath"/>
    public string? TimbreSegmentPath { get; set; }

    /// <inheritdoc cref="TimbreStoreOptions.SegmentBytes"/>
    public long TimbreSegmentBytes { get; set; } = 64L << 20;

    /// <inheritdoc cref="TimbreStoreOptions.Durable"/>
    public bool TimbreDurable { get; set; } = true;

    /// <inheritdoc cref="TimbreStoreOptions.DurableFolder"/>
    public string? TimbreDurableFolder { get; set; }

    /// <inheritdoc cref="TimbreStoreOptions.MaxDurableTimbres"/>
    public int MaxDurableTimbres { get; set; } = 16_384;

    /// <inheritdoc cref="TimbreStoreOptions.ProcessBytes"/>
    public long TimbreProcessBytes { get; set; } = 256L << 20;

    /// <inheritdoc cref="TimbreStoreOptions.MaxTimbres"/>
    public int MaxTimbres { get; set; } = 4096;

    /// <inheritdoc cref="TimbreStoreOptions.Tenant"/>
    public string? TimbreTenant { get; set; }

    /// <inheritdoc cref="TimbreStoreOptions.ExtractionWait"/>
    public TimeSpan TimbreExtractionWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>When the host loads the model.</summary>
    /// <value>Default <see cref="WarmUpMode.Blocking"/>.</value>
    public WarmUpMode WarmUp { get; set; }

    /// <summary>How long requests that run may go on once the host stops; what is left
    /// then is ended. Counts from the beginning of the stop.</summary>
    /// <value>Zero or more, and below the host's own shutdown timeout (30 s by default). Default 20 s.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a step of a stage may take before the health checks say that the stage hangs.</summary>
    /// <value>Above zero. Default null: 4 s; 60 s where a model of more than 100 million parameters runs on the CPU.</value>
    public TimeSpan? StageHangTimeout { get; set; }

    /// <summary>What was wrong with the names in the configuration that the options came from; said with all else that is wrong.</summary>
    internal List<string> NameFaults { get; } = [];

    /// <summary>The options of the pipeline itself.</summary>
    /// <exception cref="FormatException">The dictionary of pronunciations has a line that is no entry.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal TtsPipelineOptions ToPipelineOptions()
    {
        var options = WithoutFiles();
        options.Pronunciations = Pronunciations is null ? null : PronunciationDictionary.Load(Pronunciations);
        return options;
    }

    /// <summary>The devices that <see cref="Devices"/> names; null where it names none or is no list of devices.</summary>
    internal IReadOnlyList<TtsDevice>? FindDevices()
    {
        List<TtsDevice> found = [];
        foreach (var text in Devices?.Split(',') ?? [])
        {
            if (!TtsDevice.TryParse(text, null, out var device))
                return null;
            found.Add(device);
        }
        return found.Count > 0 ? found : null;
    }

    /// <summary>As <see cref="ToPipelineOptions"/>, without what is read from files.</summary>
    internal TtsPipelineOptions WithoutFiles() => new()
    {
        ModelPath = ModelPath,
        Device = Device,
        DeviceIndex = DeviceIndex,
        Devices = FindDevices(),
        Precision = Precision,
        LanguagePrecision = LanguagePrecision,
        FlowPrecision = FlowPrecision,
        Decoder = Decoder,
        OnnxRuntime = new OnnxRuntimeOptions
        {
            Providers = OnnxProviders ?? new OnnxRuntimeOptions().Providers,
            CacheDirectory = OnnxCacheDirectory,
            HalfPrecision = OnnxHalfPrecision,
            WorkspaceBytes = OnnxWorkspaceBytes,
            MinFrames = OnnxMinFrames,
            OptimalFrames = OnnxOptimalFrames,
            MaxFrames = OnnxMaxFrames,
        },
        Threads = Threads,
        NativeLibraryPath = NativeLibraryPath,
        MaxActiveRequests = MaxActiveRequests,
        MaxLanguageRows = MaxLanguageRows,
        RequestTimeout = RequestTimeout,
        TextPause = TextPause,
        TextIdleTimeout = TextIdleTimeout,
        MaxRedraws = MaxRedraws,
        MaxFlowSteps = MaxFlowSteps,
        KvCacheTokens = KvCacheTokens,
        StyleBytes = StyleBytes,
        FlowCacheBytes = FlowCacheBytes,
        MaxTextLength = MaxTextLength,
        English = English,
        Emoji = Emoji,
        MaxBufferedAudio = MaxBufferedAudio,
        Timbres = new TimbreStoreOptions
        {
            Shared = ShareTimbres,
            SegmentPath = TimbreSegmentPath,
            SegmentBytes = TimbreSegmentBytes,
            Durable = TimbreDurable,
            DurableFolder = TimbreDurableFolder,
            MaxDurableTimbres = MaxDurableTimbres,
            ProcessBytes = TimbreProcessBytes,
            MaxTimbres = MaxTimbres,
            Tenant = TimbreTenant,
            ExtractionWait = TimbreExtractionWait,
        },
    };
}
