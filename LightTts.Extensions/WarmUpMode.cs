namespace LightTts.Extensions;

/// <summary>When a host loads its model.</summary>
public enum WarmUpMode
{
    /// <summary>The host starts once the model is loaded and has spoken a word; a model that cannot be loaded stops the start.</summary>
    Blocking,

    /// <summary>The host starts at once. Requests wait for the model, and the readiness check says how far it is or why it failed.</summary>
    Background,

    /// <summary>The first request loads the model.</summary>
    Lazy,
}
