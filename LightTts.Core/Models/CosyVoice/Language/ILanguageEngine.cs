namespace LightTts.Models.CosyVoice.Language;

/// <summary>The arithmetic of the language model on one kind of device; owns the weights and the numbers in the KV cache.</summary>
internal interface ILanguageEngine : IDisposable
{
    /// <summary>Feeds a batch: writes its keys and values into the cache and computes the logits that it wants.</summary>
    /// <param name="batch">At least one input.</param>
    /// <param name="logits">Row-major [<see cref="LanguageBatch.LogitRows"/>, logits].</param>
    void Forward(LanguageBatch batch, Span<float> logits);
}
