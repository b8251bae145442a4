namespace LightTts;

/// <summary>A loaded text-to-speech model that serves any number of requests at once.</summary>
/// <remarks>All members are safe to call from any thread. Disposing cancels what still runs.</remarks>
public interface ITtsPipeline : IAsyncDisposable
{
    /// <summary>Facts about the loaded model.</summary>
    TtsModelInfo Model { get; }

    /// <summary>The voices that the pipeline knows beside the model's presets.</summary>
    ITimbreStore Timbres { get; }

    /// <summary>What the pipeline is doing now, for health checks and dashboards. Cheap, and never waits for a stage.</summary>
    TtsPipelineStatus Status { get; }

    /// <summary>Names of the language models ("styles") that a request can ask for, the default first.</summary>
    IReadOnlyList<string> Styles { get; }

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

    /// <summary>Speaks speech in another voice: the words and their timing are the source's, the sound is the voice's.</summary>
    /// <param name="source">The speech: one speaker, at least 0.1 s, 16 kHz or more, of any length (above 30 s it is cut at quiet places).</param>
    /// <param name="request">The voice, and how to hand out the audio; null: the model's default voice, streamed.</param>
    /// <param name="cancellationToken">Cancels the request. Ending the enumeration early cancels it, too.</param>
    /// <returns>The audio in order, as long as the source to a twenty-fifth of a second where its speed is not changed.</returns>
    /// <remarks>No language model takes part. <see cref="AudioChunk.SpeechTokens"/> are the source's.</remarks>
    /// <exception cref="TtsAudioException">The source cannot be used; the message says why.</exception>
    /// <inheritdoc cref="SynthesizeAsync(SynthesisRequest, CancellationToken)" path="/exception"/>
    IAsyncEnumerable<AudioChunk> ConvertAsync(AudioClip source, ConversionRequest? request = null, CancellationToken cancellationToken = default);

    /// <summary>Speaks live speech in another voice: audio comes a second or so after the source's.</summary>
    /// <param name="source">Pieces of speech of any length, all at one sample rate; where they are cut does not change what is spoken. A source
    /// that is silent for <see cref="TtsPipelineOptions.TextIdleTimeout"/> without giving pieces ends its request.</param>
    /// <param name="request">The voice, and how to hand out the audio; null: the model's default voice, streamed.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The audio in order.</returns>
    /// <inheritdoc cref="ConvertAsync(AudioClip, ConversionRequest, CancellationToken)" path="/exception"/>
    IAsyncEnumerable<AudioChunk> ConvertAsync(IAsyncEnumerable<AudioClip> source, ConversionRequest? request = null,
        CancellationToken cancellationToken = default);

    /// <summary>Shows a text as it would be spoken, without speaking it.</summary>
    /// <param name="request">The text, and how to read it; the voice and the rest do not count.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The parts that would be spoken one after the other, a sentence or a few each; none where there is nothing to say.</returns>
    /// <exception cref="TtsRequestException">The request asks for what cannot be done.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    ValueTask<IReadOnlyList<SpokenText>> NormalizeAsync(SynthesisRequest request, CancellationToken cancellationToken = default);

    /// <summary>Adds a language model over the same flow, vocoder and voices, while others speak.</summary>
    /// <param name="name">The name that requests ask for it by: 1 to 64 letters, digits and <c>. _ -</c>.</param>
    /// <param name="path">Its weights, of the same shapes as the model's own: an
    /// <c>llm.pt</c> or <c>.safetensors</c> file, or a directory with one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The name is taken or cannot be one.</exception>
    /// <exception cref="TtsModelLoadException">The file cannot be used; the message says why.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    Task AddStyleAsync(string name, string path, CancellationToken cancellationToken = default);

    /// <summary>Lets no more requests use a style, waits until those that do are done, and frees its memory.</summary>
    /// <param name="name">Which; not the default.</param>
    /// <param name="cancellationToken">Ends the wait: then the style serves again.</param>
    /// <returns>False where there is none of that name.</returns>
    /// <exception cref="ArgumentException">It is the default style.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    Task<bool> RemoveStyleAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Accepts no more requests and waits until those that run are done.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether all were done in time; the rest can be ended by disposing the pipeline.</returns>
    Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken = default);
}
