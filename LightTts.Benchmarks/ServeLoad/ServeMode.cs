namespace LightTts.Benchmarks.ServeLoad;

/// <summary>The three ways to ask a server.</summary>
internal enum ServeMode
{
    /// <summary>One answer with everything.</summary>
    Whole,

    /// <summary>Audio while the rest is computed.</summary>
    Stream,

    /// <summary>Text in pieces over a web socket, audio in between.</summary>
    BiStream,
}

/// <summary>A request that was answered, in seconds.</summary>
internal sealed record CallResult(double Cost, double FirstAudio, double Audio)
{
    public double RealTimeFactor => Cost / Audio;
}
