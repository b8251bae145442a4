using LightTts.Models;

namespace LightTts.Benchmarks.Paced;

/// <summary>A language model whose every sentence gets the same number of speech tokens: random weights end theirs at odd places, and what cannot be
/// speech of its text would be drawn again.</summary>
internal sealed class FixedLengthModel(ILanguageModel model, int tokens) : ILanguageModel
{
    private readonly Queue<IReadOnlyList<LanguageRow>> _launched = [];

    public SpeechVocabulary Vocabulary => model.Vocabulary;

    /// <summary>Of any length.</summary>
    public SpeechPace Pace { get; } = model.Pace with { Fastest = double.MaxValue, Slowest = 1e-6, Shortest = 0 };

    public int KvBlockSize => model.KvBlockSize;

    public int KvBlocks => model.KvBlocks;

    public int FreeKvBlocks => model.FreeKvBlocks;

    public LanguageLimits Limits => model.Limits;

    public bool CanFollow => model.CanFollow;

    /// <summary>All language models of a pipeline.</summary>
    public static ModelParts Wrap(ModelParts parts, int tokens) =>
        parts with { Styles = [.. parts.Styles.Select(style => style with { Model = new FixedLengthModel(style.Model, tokens) })] };

    public ILanguageState CreateState() => model.CreateState();

    public IDisposable EnterThread() => model.EnterThread();

    public void WarmUp() => model.WarmUp();

    public void Launch(IReadOnlyList<LanguageRow> rows)
    {
        foreach (var row in rows)
            if (row.Draw is { } draw)
                row.Draw = draw with { IgnoreEos = true };
        model.Launch(rows);
        _launched.Enqueue(rows);
    }

    public void Collect()
    {
        var rows = _launched.Dequeue();
        model.Collect();
        foreach (var row in rows)
            if (row.Draw is { } draw && draw.Position >= tokens && row.Error is null)
                row.Token = Vocabulary.FirstStop;
    }

    public void Dispose() => model.Dispose();
}
