namespace LightTts.Benchmarks.ServeLoad;

/// <summary>Something that speaks a text and says how long it took.</summary>
internal interface ISpeechCall
{
    /// <summary>Speaks a text.</summary>
    Task<CallResult> SpeakAsync(ServeMode mode, string text, CancellationToken cancellationToken);

    /// <summary>The processor time that the process which speaks has used until now, in seconds; null where it does not tell.</summary>
    Task<double?> ProcessorSecondsAsync(CancellationToken cancellationToken);
}
