namespace LightTts;

/// <summary>The family of models that a model directory belongs to.</summary>
public enum ModelFamily
{
    /// <summary>CosyVoice2: U-Net flow.</summary>
    CosyVoice2,

    /// <summary>CosyVoice3: flow of diffusion transformers.</summary>
    CosyVoice3,
}
