// The text-to-speech part of Microsoft.Extensions.AI is marked experimental (MEAI001) in 10.11; everything of ours that touches it is in this file.
#pragma warning disable MEAI001
using System.Globalization;
using System.Runtime.CompilerServices;
using LightTts.Extensions.Formats;
using LightTts.Extensions.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LightTts.Extensions.AI;

/// <summary>A pipeline as Microsoft.Extensions.AI's <see cref="ITextToSpeechClient"/>, so
/// that its middleware (logging, OpenTelemetry, options) fits around it.</summary>
/// <remarks>
/// Options: <see cref="TextToSpeechOptions.VoiceId"/> is a voice's name;
/// <see cref="TextToSpeechOptions.Language"/> picks a preset voice of that language where no voice
/// is named; <see cref="TextToSpeechOptions.Speed"/> is 0.25 to 4;
/// <see cref="TextToSpeechOptions.AudioFormat"/> is "wav" (default of whole audio), "pcm" (default of
/// streamed audio: little-endian, mono), "opus" (in Ogg), "flac", or "mp3" or "aac" where ffmpeg is installed, or their media types; its
/// <c>AdditionalProperties</c> may say more of it: <c>sample_rate</c> (4,000 to 192,000), <c>bit_rate</c> (6,000 to 320,000) and
/// <c>sample_format</c> (a name of <see cref="PcmSampleFormat"/>, for wav, pcm and flac).
/// What else a <see cref="SynthesisRequest"/> can say comes through
/// <see cref="TextToSpeechOptions.RawRepresentationFactory"/>, which may return one to
/// start from. <see cref="TextToSpeechOptions.Volume"/> is 0 (silent) to 1 (as the
/// voice speaks, the default). A <see cref="TextToSpeechOptions.Pitch"/> other than 1 is refused: no model here can do that.
/// Safe for concurrent use. Disposing it leaves the pipeline alone.
/// </remarks>
public sealed class LightTtsSpeechClient : ITextToSpeechClient
{
    private readonly ITtsPipeline _pipeline;

    /// <summary>Makes a client of a pipeline.</summary>
    /// <param name="pipeline">The pipeline; the caller keeps it and disposes it.</param>
    public LightTtsSpeechClient(ITtsPipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        _pipeline = pipeline;
    }

    /// <inheritdoc/>
    /// <exception cref="TtsRequestException">The options ask for what cannot be done.</exception>
    /// <inheritdoc cref="ITtsPipeline.SynthesizeAsync(SynthesisRequest, CancellationToken)" path="/exception"/>
    public async Task<TextToSpeechResponse> GetAudioAsync(string text, TextToSpeechOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var format = SpeechFormat.Of(options?.AudioFormat, options?.AdditionalProperties, options?.Volume, AudioFormat.Wav);
        var (pipeline, request) = await PrepareAsync(text, options, AudioDelivery.Whole, cancellationToken).ConfigureAwait(false);
        var tokens = 0;
        var audio = new MemoryStream();
        var encoder = format.CreateEncoder(audio, pipeline.Model.SampleRate);
        await using var disposed = encoder.ConfigureAwait(false);
        await foreach (var chunk in pipeline.SynthesizeAsync(request, cancellationToken).ConfigureAwait(false))
        {
            tokens += chunk.SpeechTokens.Length;
            await encoder.WriteAsync(format.Scale(chunk.Samples), cancellationToken).ConfigureAwait(false);
        }
        await encoder.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return new TextToSpeechResponse([new DataContent(audio.GetBuffer().AsMemory(0, (int)audio.Length), format.MediaType)])
        {
            ResponseId = Guid.NewGuid().ToString("N"),
            ModelId = _pipeline.Model.Name,
            Usage = Usage(tokens),
            AdditionalProperties = format.Properties(_pipeline.Model.SampleRate),
        };
    }

    /// <inheritdoc/>
    /// <remarks>Audio leaves while the rest is computed. The pieces' data, joined, is the whole; a WAV file's header leaves
    /// the length open. Of formats that are encoded in frames, a piece may have no data yet.</remarks>
    /// <exception cref="TtsRequestException">The options ask for what cannot be done.</exception>
    /// <inheritdoc cref="ITtsPipeline.SynthesizeAsync(SynthesisRequest, CancellationToken)" path="/exception"/>
    public async IAsyncEnumerable<TextToSpeechResponseUpdate> GetStreamingAudioAsync(string text, TextToSpeechOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var format = SpeechFormat.Of(options?.AudioFormat, options?.AdditionalProperties, options?.Volume, AudioFormat.Pcm);
        // A changed speed stretches sentences as a whole; they still leave one by one.
        var mode = options?.Speed is null or 1 ? AudioDelivery.Streaming : AudioDelivery.Whole;
        var (pipeline, request) = await PrepareAsync(text, options, mode, cancellationToken).ConfigureAwait(false);
        var id = Guid.NewGuid().ToString("N");
        var tokens = 0;
        yield return Update(id, TextToSpeechResponseUpdateKind.SessionOpen, null, format, []);
        using var pieces = new PieceStream();
        var encoder = format.CreateEncoder(pieces, pipeline.Model.SampleRate);
        await using var disposed = encoder.ConfigureAwait(false);
        AudioChunk? last = null;
        await foreach (var chunk in pipeline.SynthesizeAsync(request, cancellationToken).ConfigureAwait(false))
        {
            tokens += chunk.SpeechTokens.Length;
            await encoder.WriteAsync(format.Scale(chunk.Samples), cancellationToken).ConfigureAwait(false);
            if (chunk.IsLast)
            {
                last = chunk;
                continue;
            }
            yield return Update(id, TextToSpeechResponseUpdateKind.AudioUpdating, chunk, format, Contents(pieces, format));
        }
        await encoder.CompleteAsync(cancellationToken).ConfigureAwait(false);
        yield return Update(id, TextToSpeechResponseUpdateKind.AudioUpdated, last, format, Contents(pieces, format));
        yield return Update(id, TextToSpeechResponseUpdateKind.SessionClose, null, format, [new UsageContent(Usage(tokens))]);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(TextToSpeechClientMetadata))
            return new TextToSpeechClientMetadata("lighttts", null, (_pipeline as HostedPipeline)?.Host.ModelName ?? _pipeline.Model.Name);
        if (serviceType == typeof(ITtsPipelineHost))
            return (_pipeline as HostedPipeline)?.Host;
        return serviceType == typeof(ITtsPipeline) ? _pipeline : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing: the pipeline belongs to whoever made it.</summary>
    public void Dispose()
    {
    }

    /// <summary>The pipeline and the request for it. A hosted pipeline that still loads is
    /// waited for as every other request waits: counted, with its deadlines running.</summary>
    private async ValueTask<(ITtsPipeline Pipeline, SynthesisRequest Request)> PrepareAsync(string text, TextToSpeechOptions? options,
        AudioDelivery mode,
        CancellationToken cancellationToken)
    {
        if (options?.Pitch is { } pitch and not 1)
            throw new TtsRequestException(string.Create(CultureInfo.InvariantCulture,
                $"Pitch is {pitch}, but a voice has only its own pitch (1). Leave it out, or choose a voice that is higher or lower."));
        var request = (options?.RawRepresentationFactory?.Invoke(this) as SynthesisRequest
            ?? new SynthesisRequest()) with { Text = text, Delivery = mode };
        var pipeline = _pipeline;
        if (pipeline is HostedPipeline { Host.Ready: null } hosted)
            (pipeline, request) = await hosted.LoadedAsync(request, cancellationToken).ConfigureAwait(false);
        return (pipeline, Complete(request, options, pipeline.Model));
    }

    private static SynthesisRequest Complete(SynthesisRequest request, TextToSpeechOptions? options, TtsModelInfo model)
    {
        if (options?.ModelId is { } id && id != model.Name)
            throw new TtsRequestException($"ModelId is '{id}', but this client speaks with '{model.Name}'. Leave it out, or resolve the client that "
            + $"is registered for that model.");
        var voice = options?.VoiceId ?? request.Voice;
        return request with
        {
            Voice = voice ?? (options?.Language is { } language && request.Timbre is null ? VoiceFor(model, language) : null),
            Timbre = options?.VoiceId is null ? request.Timbre : null,
            Speed = options?.Speed ?? (request.Delivery == AudioDelivery.Whole ? request.Speed : 1),
        };
    }

    /// <summary>The default voice where it fits the language, another preset where one does; null leaves the choice to the model.</summary>
    private static string? VoiceFor(TtsModelInfo model, string language)
    {
        if (model.Languages.Count > 0 && !model.Languages.Any(known => SameLanguage(known, language)))
            throw new TtsRequestException($"{model.Name} does not speak '{language}'. Its languages are: {string.Join(", ", model.Languages)}.");
        var fitting = model.Voices.Where(voice => voice.Language is { } spoken && SameLanguage(spoken, language)).Select(voice =>
            voice.Name).ToList();
        return fitting.Count == 0 || fitting.Contains(model.DefaultVoice ?? "") ? null : fitting[0];
    }

    private static bool SameLanguage(string left, string right) => left.Split('-')[0].Equals(right.Split('-')[0], StringComparison.OrdinalIgnoreCase);

    private static IList<AIContent> Contents(PieceStream pieces, SpeechFormat format) =>
        pieces.Take() is { Length: > 0 } data ? [new DataContent(data, format.MediaType)] : [];

    private TextToSpeechResponseUpdate Update(string id, TextToSpeechResponseUpdateKind kind, AudioChunk? chunk, SpeechFormat format,
        IList<AIContent> contents) => new(contents)
    {
        Kind = kind,
        ResponseId = id,
        ModelId = _pipeline.Model.Name,
        RawRepresentation = chunk,
        AdditionalProperties = format.Properties(_pipeline.Model.SampleRate),
    };

    private static UsageDetails Usage(int speechTokens) =>
        new() { OutputTokenCount = speechTokens, OutputAudioTokenCount = speechTokens, TotalTokenCount = speechTokens };
}

/// <summary>Makes text-to-speech clients of pipelines.</summary>
public static class LightTtsSpeechClientExtensions
{
    /// <summary>A pipeline as Microsoft.Extensions.AI's text-to-speech client.</summary>
    /// <param name="pipeline">The pipeline; the caller keeps it and disposes it.</param>
    /// <returns>The client; <c>AsBuilder()</c> puts middleware around it.</returns>
    public static LightTtsSpeechClient AsTextToSpeechClient(this ITtsPipeline pipeline) => new(pipeline);

    /// <summary>Registers the client beside its pipeline, unless the application has registered one of its own.</summary>
    internal static void AddSpeechClient(this IServiceCollection services, string? key)
    {
        if (key is null)
            services.TryAddSingleton<ITextToSpeechClient>(static provider => provider.GetRequiredService<ITtsPipeline>().AsTextToSpeechClient());
        else
            services.TryAddKeyedSingleton<ITextToSpeechClient>(key, static (provider, name) =>
            provider.GetRequiredKeyedService<ITtsPipeline>(name).AsTextToSpeechClient());
    }
}
