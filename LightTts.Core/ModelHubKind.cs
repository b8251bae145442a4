namespace LightTts;

/// <summary>The protocol that a hub of models speaks.</summary>
public enum ModelHubKind
{
    /// <summary>As huggingface.co and its mirrors.</summary>
    HuggingFace,

    /// <summary>As modelscope.cn.</summary>
    ModelScope,
}
