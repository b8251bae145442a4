namespace LightTts;

/// <summary>Where the models run.</summary>
public enum ComputeDevice
{
    /// <summary>The first CUDA device where the loaded backend has one, the CPU otherwise.</summary>
    Auto,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>A CUDA device (<see cref="TtsPipelineOptions.DeviceIndex"/>); loading fails where there is none.</summary>
    Cuda,
}
