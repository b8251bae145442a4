namespace LightTts;

/// <summary>Facts about a loaded model.</summary>
public sealed record TtsModelInfo
{
    /// <summary>The model's name: from lighttts.json, otherwise the directory's name.</summary>
    public required string Name { get; init; }

    /// <summary>The family of models that it belongs to.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>The directory that it was loaded from.</summary>
    public required string Path { get; init; }

    /// <summary>Samples a second of the audio that it makes (Hz).</summary>
    public required int SampleRate { get; init; }

    /// <summary>Speech tokens a second of audio.</summary>
    public required int TokenRate { get; init; }

    /// <summary>Languages that it was trained on (BCP 47), where the directory says so.</summary>
    public required IReadOnlyList<string> Languages { get; init; }

    /// <summary>The preset voices.</summary>
    public required IReadOnlyList<VoiceInfo> Voices { get; init; }

    /// <summary>The voice of a request that names none, or null where the model has no preset.</summary>
    public required string? DefaultVoice { get; init; }

    /// <summary>Solver steps of a request that names none.</summary>
    public required int FlowSteps { get; init; }

    /// <summary>Numbers in the language model, the flow and the vocoder.</summary>
    public required long Parameters { get; init; }

    /// <summary>The license of the model, where the directory says so.</summary>
    public string? License { get; init; }

    /// <summary>Where the models run: <see cref="ComputeDevice.Cpu"/> or <see cref="ComputeDevice.Cuda"/>.</summary>
    public required ComputeDevice Device { get; init; }

    /// <summary>Which of the CUDA devices; 0 on the CPU.</summary>
    public int DeviceIndex { get; init; }

    /// <summary>All devices where the models run, each with weights of its own: one, where <see cref="TtsPipelineOptions.Devices"/> names no others.
    /// <see cref="Device"/> and <see cref="DeviceIndex"/> are the first.</summary>
    public IReadOnlyList<TtsDevice> Devices
    {
        get => field ?? [new TtsDevice(Device, DeviceIndex)];
        init;
    }

    /// <summary>The devices as libtorch writes them: "cpu", "cuda:0", "cuda:0, cuda:1".</summary>
    public string DeviceName => string.Join(", ", Devices);

    /// <summary>The arithmetic of the large matrix products: <see cref="ComputePrecision.Float32"/>, <see cref="ComputePrecision.BFloat16"/>,
    /// <see cref="ComputePrecision.Float16"/> or <see cref="ComputePrecision.Int8"/>, where no part has one of its own.</summary>
    public required ComputePrecision Precision { get; init; }
}
