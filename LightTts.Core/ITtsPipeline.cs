namespace LightTts;

/// <summary>A loaded text-to-speech model that serves any number of requests at once.</summary>
/// <remarks>All members are safe to call from any thread. Disposing cancels what still runs.</remarks>
public interface ITtsPipeline : IAsyncDisposable
{
    /// <summary>Facts about the loaded model.</summary>
    TtsModelInfo Model { get; }

    /// <summary>The voices that the pipeline knows beside the model's presets.</summary>
    ITimbreStore Timbres { get; }

    /// <summary>Speaks a text. Audio chunks come while the rest is still being computed.</summary>
    /// <param name="request">What to speak, in which voice, and how.</param>
    /// <param name="cancellationToken">Cancels the request. Ending the enumeration early cancels it, too.</param>
    /// <returns>The audio in order. A consumer that is slow to take chunks holds back only this request.</returns>
    /// <exception cref="TtsRequestException">The request asks for what cannot be done.</exception>
    /// <exception cref="TtsQueueFullException">Too many requests are in the pipeline.</exception>
    /// <exception cref="TtsTimeoutException">A deadline of the request was missed.</exception>
    /// <exception cref="TtsSynthesisException">The engine failed on this request.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default);

    /// <summary>Speaks text that arrives in pieces (from a language model, say): audio starts before the text ends.</summary>
    /// <param name="text">The text; where the pieces are cut does not change what is spoken.</param>
    /// <param name="request">The voice, and how to speak; its <see cref="SynthesisRequest.Text"/> is ignored.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The audio in order.</returns>
    /// <inheritdoc cref="SynthesizeAsync(SynthesisRequest, CancellationToken)" path="/exception"/>
    IAsyncEnumerable<AudioChunk> SynthesizeAsync(IAsyncEnumerable<string> text, SynthesisRequest? request = null,
        CancellationToken cancellationToken = default);

    /// <summary>Shows a text as it would be spoken, without speaking it.</summary>
    /// <param name="request">The text, and how to read it; the voice and the rest do not count.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The parts that would be spoken one after the other, a sentence or a few each; none where there is nothing to say.</returns>
    /// <exception cref="TtsRequestException">The request asks for what cannot be done.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default);
}
