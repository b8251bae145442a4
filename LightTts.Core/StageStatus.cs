namespace LightTts;

/// <summary>What one of the pipeline's stage threads is doing.</summary>
public sealed record StageStatus
{
    /// <summary>The stage.</summary>
    public required PipelineStage Stage { get; init; }

    /// <summary>The device that the stage belongs to, as "cuda:1"; null where the pipeline has only one.</summary>
    public string? Device { get; init; }

    /// <summary>Whether the stage's thread runs. It runs from load to disposal; false before that means that the
    /// pipeline is lost, or, where it has several devices, this one of them.</summary>
    public required bool IsAlive { get; init; }

    /// <summary>How long the step under way has taken so far; zero while the stage waits
    /// for work. A step takes milliseconds: seconds mean that it hangs.</summary>
    public required TimeSpan BusyFor { get; init; }

    /// <summary>Messages that wait for the stage.</summary>
    public required int QueueLength { get; init; }
}
