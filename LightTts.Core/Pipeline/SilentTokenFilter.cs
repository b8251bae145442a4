namespace LightTts.Pipeline;

/// <summary>Drops sounds of silence beyond the fifth in a row before they reach the
/// decoder (<c>llm_job</c> in cosyvoice/cli/model.py, CosyVoice3).</summary>
/// <remarks>The language model itself still sees the dropped tokens.</remarks>
internal struct SilentTokenFilter(IReadOnlySet<int> silentTokens)
{
    /// <summary>Sounds of silence that are kept in a row.</summary>
    public const int MaxRun = 5;

    private int _run;

    /// <summary>Whether the next token of the sequence is kept.</summary>
    public bool Keep(int token)
    {
        if (!silentTokens.Contains(token))
        {
            _run = 0;
            return true;
        }

        return ++_run <= MaxRun;
    }
}
