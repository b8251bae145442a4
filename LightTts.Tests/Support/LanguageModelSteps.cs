using LightTts.Models;

namespace LightTts.Tests.Support;

/// <summary>Whole steps, for tests that do nothing between a step's launch and its end.</summary>
internal static class LanguageModelSteps
{
    public static void Step(this ILanguageModel model, IReadOnlyList<LanguageRow> rows)
    {
        model.Launch(rows);
        model.Collect();
    }
}
