namespace LightTts.Extensions;

/// <summary>What a host knows about its pipeline: whether it is loaded, why not, and what
/// it is doing. Registered beside <see cref="ITtsPipeline"/>, under the same key.</summary>
/// <remarks>All members are safe to call from any thread; none but <see cref="WaitUntilReadyAsync"/> waits.</remarks>
public interface ITtsPipelineHost
{
    /// <summary>How far the pipeline is.</summary>
    TtsPipelineState State { get; }

    /// <summary>What loading did last and how much of it is done.</summary>
    TtsLoadProgress Progress { get; }

    /// <summary>Why the pipeline could not be loaded; null unless <see cref="State"/> is <see cref="TtsPipelineState.Faulted"/>.</summary>
    Exception? Error { get; }

    /// <summary>Facts about the model; null until it is loaded.</summary>
    TtsModelInfo? Model { get; }

    /// <summary>What the pipeline is doing now; null until it is loaded.</summary>
    TtsPipelineStatus? Status { get; }

    /// <summary>Waits until the pipeline is loaded, and starts loading where that has not happened yet.</summary>
    /// <param name="cancellationToken">Ends the wait; loading goes on.</param>
    /// <exception cref="TtsModelLoadException">The model cannot be loaded.</exception>
    /// <exception cref="TtsBackendException">A native backend is missing or the device cannot be had.</exception>
    /// <exception cref="ObjectDisposedException">The host has stopped.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    Task WaitUntilReadyAsync(CancellationToken cancellationToken = default);
}
