using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>Says how to draw in the words of <see cref="SamplingKernel"/>; the decisions are those of <see cref="RasSampler"/>.</summary>
internal sealed class DrawTable(LanguageModelConfig config)
{
    private readonly SpeechVocabulary _vocabulary = LanguageVocabulary.For(config);

    /// <summary>Whether the device can do it.</summary>
    public bool Fit(ReadOnlySpan<TokenDraw> draws) =>
        draws.Length > 0 && config.TopK <= SamplingKernel.MaxTop && config.RepetitionWindow <= SamplingKernel.MaxHistory;

    /// <summary>A draw that nobody looks at.</summary>
    public static void WriteAny(ref SamplingKernel.Draw target) =>
        target = new SamplingKernel.Draw { ForbiddenFirst = 1, Allowed = -1, TopK = 1, InverseTemperature = 1, RepetitionLimit = 1 };

    public void Write(in TokenDraw draw, ref SamplingKernel.Draw target)
    {
        target.Seed = draw.Seed;
        target.Position = draw.Position;
        (target.ForbiddenFirst, target.ForbiddenLast) = draw.IgnoreEos ? (_vocabulary.FirstStop, _vocabulary.LastStop) : (1, 0);
        target.Allowed = draw.MayFill ? _vocabulary.Fill : -1;
        target.TopK = Math.Max(1, config.TopK);
        target.TopP = (float)config.TopP;
        target.InverseTemperature = 1;
        target.RepetitionLimit = config.RepetitionWindow * config.RepetitionThreshold;
        var from = Math.Max(0, draw.History.Count - config.RepetitionWindow);
        target.HistoryCount = draw.History.Count - from;
        for (var i = 0; i < target.HistoryCount; i++)
            target.History[i] = draw.History[from + i];
    }
}
