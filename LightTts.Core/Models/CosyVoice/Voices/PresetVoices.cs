using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LightTts.Models.CosyVoice.Files;
using LightTts.Text;
using LightTts.Timbres;

namespace LightTts.Models.CosyVoice.Voices;

/// <summary>The voices that come with a model directory, as timbres. Safe to use from any thread.</summary>
internal sealed class PresetVoices(ModelDirectory directory, QwenTokenizer tokenizer, TimbreStore store)
{
    private readonly ConcurrentDictionary<string, Timbre> _known = new(StringComparer.Ordinal);

    /// <summary>The voice of that name, or null. One without stored features is extracted from its reference audio at its first use.</summary>
    public async ValueTask<Timbre?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(name, out var known))
            return known;
        if (directory.Voices.FirstOrDefault(voice => voice.Name == name) is not { } preset)
            return null;
        if (preset.Features is { } features)
            return _known.GetOrAdd(name, Create(preset, features));
        if (preset.PromptFile is not { } file)
            return null;
        var reference = await AudioClip.FromWavFileAsync(file, cancellationToken: cancellationToken).ConfigureAwait(false);
        return _known.GetOrAdd(name, await store.AddPresetAsync(reference, preset.Transcript, cancellationToken).ConfigureAwait(false));
    }

    private Timbre Create(PresetVoice preset, TimbreFeatures features)
    {
        var transcript = preset.Transcript ?? (preset.PromptTextIds.Length > 0 ? Transcript(preset.PromptTextIds) : null);
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"preset\0{directory.Files.Root}\0{preset.Name}")));
        var duration = TimeSpan.FromSeconds((double)features.MelFrames / (directory.Config.TokenFrameRate * directory.Config.TokenMelRatio));
        return new Timbre(id, preset.Name, transcript, duration, features with { PromptText = transcript });
    }

    /// <summary>What stored ids say behind the instruction.</summary>
    private string Transcript(int[] ids) => tokenizer.Decode(ids.AsSpan(Array.LastIndexOf(ids, tokenizer.EndOfPromptId) + 1));
}
