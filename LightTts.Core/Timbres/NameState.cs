namespace LightTts.Timbres;

/// <summary>What is known about a name.</summary>
internal enum NameState
{
    /// <summary>Nothing: it was never bound, or it made room for others.</summary>
    Unknown,

    /// <summary>It stands for a voice.</summary>
    Bound,

    /// <summary>It was taken away.</summary>
    Removed,

    /// <summary>It could not be asked for now.</summary>
    Unreadable,
}
