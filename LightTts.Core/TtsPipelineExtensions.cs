namespace LightTts;

/// <summary>Conveniences on top of <see cref="ITtsPipeline"/>.</summary>
public static class TtsPipelineExtensions
{
    /// <summary>Speaks a text and returns the whole audio.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="text">The text.</param>
    /// <param name="voice">The voice; null for the model's default.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The audio, computed as <see cref="AudioDelivery.Whole"/>.</returns>
    /// <inheritdoc cref="ITtsPipeline.SynthesizeAsync(SynthesisRequest, CancellationToken)" path="/exception"/>
    public static Task<AudioClip> SpeakAsync(this ITtsPipeline pipeline, string text, string? voice = null,
        CancellationToken cancellationToken = default) =>
        SpeakAsync(pipeline, new SynthesisRequest { Text = text, Voice = voice }, cancellationToken);

    /// <summary>Speaks a request and returns the whole audio.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="request">What to speak, and how.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The audio of all chunks, joined; computed as <see cref="AudioDelivery.Whole"/> unless the request says otherwise.</returns>
    /// <inheritdoc cref="ITtsPipeline.SynthesizeAsync(SynthesisRequest, CancellationToken)" path="/exception"/>
    public static async Task<AudioClip> SpeakAsync(this ITtsPipeline pipeline, SynthesisRequest request,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(request);
        request = request with { Delivery = request.Delivery ?? AudioDelivery.Whole };
        return await JoinAsync(pipeline, pipeline.SynthesizeAsync(request, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Speaks speech in another voice and returns the whole audio.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="source">The speech.</param>
    /// <param name="voice">The voice; null for the model's default.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The audio, computed as <see cref="AudioDelivery.Whole"/>.</returns>
    /// <inheritdoc cref="ITtsPipeline.ConvertAsync(AudioClip, ConversionRequest, CancellationToken)" path="/exception"/>
    public static Task<AudioClip> ConvertToClipAsync(this ITtsPipeline pipeline, AudioClip source, string? voice = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        return JoinAsync(pipeline,
            pipeline.ConvertAsync(source, new ConversionRequest { Voice = voice, Delivery = AudioDelivery.Whole }, cancellationToken));
    }

    private static async Task<AudioClip> JoinAsync(ITtsPipeline pipeline, IAsyncEnumerable<AudioChunk> chunks)
    {
        List<ReadOnlyMemory<float>> pieces = [];
        var length = 0;
        await foreach (var chunk in chunks.ConfigureAwait(false))
        {
            pieces.Add(chunk.Samples);
            length = checked(length + chunk.Samples.Length);
        }
        var samples = new float[length];
        var at = 0;
        foreach (var piece in pieces)
        {
            piece.CopyTo(samples.AsMemory(at));
            at += piece.Length;
        }
        return new AudioClip(samples, pipeline.Model.SampleRate);
    }

    /// <summary>Lists the voices that a request can name: the model's presets, then those that were learnt.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A voice with several names is there once for each.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<IReadOnlyList<VoiceInfo>> ListVoicesAsync(this ITtsPipeline pipeline, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        List<VoiceInfo> voices = [.. pipeline.Model.Voices];
        foreach (var timbre in await pipeline.Timbres.ListAsync(cancellationToken).ConfigureAwait(false))
            voices.AddRange(timbre.Names.Select(name => new VoiceInfo(name, null, null) { Learnt = timbre }));
        return voices;
    }
}
