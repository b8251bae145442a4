namespace LightTts.Models.CosyVoice.Language;

/// <summary>The arithmetic of the language model on one kind of device; owns the weights and the numbers in the KV cache.</summary>
/// <remarks>
/// A step is launched and then collected, so that an engine on a device can leave the host to other work in between (the steps
/// of other models, say), draw where the logits are, and bring back one small copy.
/// </remarks>
internal interface ILanguageEngine : IDisposable
{
    /// <summary>What <see cref="Collect"/> says of a row whose logits are not finite.</summary>
    const int NotFinite = -1;

    /// <summary>Captures the steps that can be captured, on the thread that will launch them; others are computed as they come.</summary>
    /// <param name="maxRows">Sequences in a step at the most.</param>
    void Prepare(int maxRows);

    /// <summary>Whether a step may be launched behind the one under way, before that is collected, with inputs that it draws.</summary>
    bool CanFollow => false;

    /// <summary>Begins a step: feeds a batch, whose keys and values go into the cache.</summary>
    /// <param name="batch">At least one input; to be left as it is until the step is collected.</param>
    /// <param name="draws">How to draw after each of <see cref="LanguageBatch.LogitRows"/>, in their order; to be left likewise.</param>
    void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws);

    /// <summary>Waits for the step that was launched first.</summary>
    /// <param name="tokens">One for each draw; <see cref="NotFinite"/> where it could not be drawn.</param>
    void Collect(Span<int> tokens);

    /// <summary>Instead of <see cref="Collect"/>, without drawing: the logits themselves, for whoever compares engines.</summary>
    /// <returns>Row-major [draws, logits]; good until the next step.</returns>
    ReadOnlySpan<float> CollectLogits();
}
