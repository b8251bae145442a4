using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>Says how to draw in the words of <see cref="SamplingKernel"/>; the decisions are those of <see cref="RasSampler"/>.</summary>
internal sealed class DrawTable(LanguageModelConfig config)
{
    private readonly SpeechVocabulary _vocabulary = LanguageVocabulary.For(config);

    /// <summary>Whether the device can do it.</summary>
    public bool Fit(ReadOnlySpan<TokenDraw> draws)
    {
        foreach (var draw in draws)
            if (TopK(draw) > SamplingKernel.MaxTop || Window(draw) > SamplingKernel.MaxHistory)
                return false;
        return draws.Length > 0;
    }

    /// <summary>A draw that nobody looks at.</summary>
    public static void WriteAny(ref SamplingKernel.Draw target) =>
        target = new SamplingKernel.Draw { ForbiddenFirst = 1, Allowed = -1, TopK = 1, Temperature = 1, RepetitionLimit = 1 };

    public void Write(in TokenDraw draw, ref SamplingKernel.Draw target)
    {
        target.Seed = draw.Seed;
        target.Position = draw.Position;
        (target.ForbiddenFirst, target.ForbiddenLast) = draw.IgnoreEos ? (_vocabulary.FirstStop, _vocabulary.LastStop) : (1, 0);
        target.Allowed = draw.MayFill ? _vocabulary.Fill : -1;
        target.TopK = Math.Max(1, TopK(draw));
        target.TopP = (float)(draw.Sampling?.TopP ?? config.TopP);
        target.Temperature = (float)(draw.Sampling?.Temperature ?? 1);
        // A request's window of nothing is no rule (see RasSampler).
        target.RepetitionLimit = draw.Sampling?.RepetitionWindow == 0 ? double.PositiveInfinity
            : Window(draw) * (draw.Sampling?.RepetitionThreshold ?? config.RepetitionThreshold);
        var from = Math.Max(0, draw.History.Count - Window(draw));
        target.HistoryCount = draw.History.Count - from;
        for (var i = 0; i < target.HistoryCount; i++)
            target.History[i] = draw.History[from + i];
    }

    private int TopK(in TokenDraw draw) => draw.Sampling?.Temperature == 0 ? 1 : draw.Sampling?.TopK ?? config.TopK;

    private int Window(in TokenDraw draw) => draw.Sampling?.RepetitionWindow ?? config.RepetitionWindow;
}
