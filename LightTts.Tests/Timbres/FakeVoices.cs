using LightTts.Timbres;
using Microsoft.Extensions.Logging;

namespace LightTts.Tests.Timbres;

/// <summary>Voices that say who they are: every number of voice k's features is k.</summary>
internal static class FakeVoices
{
    public const string Extractor = "fake extractor 1";
    private const int Rate = 16_000;

    /// <summary>Reference audio of voice k: 0.5 s whose samples are k / 2^20.</summary>
    public static AudioClip Clip(int voice)
    {
        var samples = new float[Rate / 2];
        Array.Fill(samples, voice / (float)(1 << 20));
        return new AudioClip(samples, Rate);
    }

    /// <summary>The features that are extracted from it.</summary>
    public static TimbreFeatures Features(int voice, int frames = 20, int bands = 80)
    {
        var (mel, tokens, embedding) = (new float[frames * bands], new int[frames / 2], new float[192]);
        Array.Fill(mel, voice);
        Array.Fill(tokens, voice);
        Array.Fill(embedding, voice);
        return new TimbreFeatures($"prompt {voice}", tokens, mel, frames, embedding);
    }

    public static TimbreFeatures Extract(AudioClip clip, int frames = 20) => Features((int)(clip.Samples.Span[0] * (1 << 20)), frames);

    /// <summary>Whether all of the features are voice k's.</summary>
    public static bool Are(TimbreFeatures features, int voice) =>
        features.PromptText == $"prompt {voice}" && features.SpeechTokens.All(token => token == voice)
        && !features.Mel.AsSpan().ContainsAnyExcept((float)voice) && !features.Embedding.AsSpan().ContainsAnyExcept((float)voice);

    public static TimbreStoreOptions Options(string? segment, long segmentBytes = 1 << 20, int maxTimbres = 1000) =>
        new() { Shared = segment is not null, SegmentPath = segment, SegmentBytes = segmentBytes, MaxTimbres = maxTimbres, Durable = false };

    public static TimbreStore Store(
        string? segment = null, long segmentBytes = 1 << 20, int maxTimbres = 1000, int frames = 20, Action? onExtract = null,
        string extractor = Extractor,
        ILogger? logger = null, TimeProvider? time = null) =>
        Store(Options(segment, segmentBytes, maxTimbres), frames, onExtract, extractor, logger, time);

    public static TimbreStore Store(
        TimbreStoreOptions options, int frames = 20, Action? onExtract = null, string extractor = Extractor, ILogger? logger = null,
        TimeProvider? time = null,
        IEnumerable<string>? presets = null) =>
        new(options, extractor, (clip, _, _) =>
        {
            onExtract?.Invoke();
            return new ValueTask<TimbreFeatures>(Extract(clip, frames));
        }, presets: presets, logger: logger, time: time);

    /// <summary>The identity of voice k.</summary>
    public static string Id(int voice) => TimbreKey.OfVoice(Clip(voice), null, TimbreKey.OfOwner(Extractor, null)).ToString();
}
