namespace LightTts.Benchmarks.ServeLoad;

/// <summary>Something that speaks a text and says how long it took.</summary>
internal interface ISpeechCall
{
    /// <summary>Speaks a text.</summary>
    Task<CallResult> SpeakAsync(ServeMode mode, string text, CancellationToken cancellationToken);
}
