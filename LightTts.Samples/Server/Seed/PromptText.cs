namespace LightTts.Samples.Server.Seed;

/// <summary>Takes a CosyVoice3 prompt apart: what stands before <c>&lt;|endofprompt|&gt;</c>
/// says how to speak, what stands behind it is the transcript.</summary>
internal static class PromptText
{
    private const string End = "<|endofprompt|>";
    private const string Greeting = "You are a helpful assistant.";

    public static (string Transcript, string? Instruction) Split(string prompt)
    {
        var at = prompt.LastIndexOf(End, StringComparison.Ordinal);
        if (at < 0)
            return (prompt.Trim(), null);
        var before = prompt[..at].Trim();
        if (before.StartsWith(Greeting, StringComparison.Ordinal))
            before = before[Greeting.Length..].Trim();
        return (prompt[(at + End.Length)..].Trim(), before.Length > 0 ? before : null);
    }
}
