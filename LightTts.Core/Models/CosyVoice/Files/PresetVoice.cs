using LightTts.Timbres;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>A voice that comes with a model directory: reference audio to extract it from, features extracted beforehand, or both.</summary>
/// <param name="Name">What requests call it.</param>
/// <param name="Description">What it sounds like, where the directory says so.</param>
/// <param name="Language">Language of the reference audio (BCP 47), where the directory says so.</param>
internal sealed record PresetVoice(string Name, string? Description, string? Language)
{
    /// <summary>The reference audio; null where there are only <see cref="Features"/>.</summary>
    public string? PromptFile { get; init; }

    /// <summary>What the reference audio says, without the instruction prefix.</summary>
    public string? Transcript { get; init; }

    /// <summary>Features from spk2info.pt, which make extraction from <see cref="PromptFile"/>
    /// unnecessary; PromptText is prefix and transcript, or null where
    /// only <see cref="PromptTextIds"/> are known.</summary>
    public TimbreFeatures? Features { get; init; }

    /// <summary>Token ids of the prompt text from spk2info.pt; empty in an embedding-only (sft) preset.</summary>
    public int[] PromptTextIds { get; init; } = [];
}
