using LightTts.Timbres;

namespace LightTts;

/// <summary>A voice that the pipeline can speak in: what was learnt from a few seconds of reference audio.</summary>
/// <remarks>Immutable and safe to use from any thread, in any number of requests.</remarks>
public sealed class Timbre
{
    internal Timbre(string id, string? name, string? transcript, TimeSpan duration, TimbreFeatures features,
        TimbreSource source = TimbreSource.Process)
    {
        Id = id;
        Name = name;
        Transcript = transcript;
        Duration = duration;
        Features = features;
        Source = source;
    }

    /// <summary>The identity: a SHA-256 in hexadecimal over decoded audio, transcript and the model's feature extractors.</summary>
    public string Id { get; }

    /// <summary>The name, or null for an anonymous voice.</summary>
    public string? Name { get; }

    /// <summary>What the reference audio says, or null where it is not known (cross-lingual use).</summary>
    public string? Transcript { get; }

    /// <summary>The length of the reference audio.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Where the store found it when it handed it out.</summary>
    public TimbreSource Source { get; }

    internal TimbreFeatures Features { get; }

    /// <summary>This voice, found elsewhere.</summary>
    internal Timbre From(TimbreSource source) => source == Source ? this : new Timbre(Id, Name, Transcript, Duration, Features, source);
}
