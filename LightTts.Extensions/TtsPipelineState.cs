namespace LightTts.Extensions;

/// <summary>How far a hosted pipeline is.</summary>
public enum TtsPipelineState
{
    /// <summary>Nothing has asked for the model yet.</summary>
    NotLoaded,

    /// <summary>The model is being loaded.</summary>
    Loading,

    /// <summary>Requests are served.</summary>
    Ready,

    /// <summary>The model could not be loaded.</summary>
    Faulted,

    /// <summary>The host stops; requests that run may end.</summary>
    Stopping,

    /// <summary>The pipeline is closed.</summary>
    Stopped,
}
