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
    public static void WriteAny(ref SamplingKernel.Draw target, int place) => target = new SamplingKernel.Draw
    {
        ForbiddenFirst = 1, Allowed = -1, TopK = 1, Temperature = 1, RepetitionLimit = 1, Place = place, Follows = -1,
    };

    /// <summary>Writes a draw.</summary>
    /// <param name="draw">How to draw.</param>
    /// <param name="place">Where the token goes.</param>
    /// <param name="follows">Where the token lies that comes behind the history; -1: there is none.</param>
    /// <param name="target">Where it is written.</param>
    public void Write(in TokenDraw draw, int place, int follows, ref SamplingKernel.Draw target)
    {
        (target.Place, target.Follows) = (place, follows);
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
        var known = draw.History.Count;
        var count = follows < 0 ? known : known + 1;
        var from = Math.Max(0, count - Window(draw));
        target.HistoryCount = count - from;
        for (var i = from; i < known; i++)
            target.History[i - from] = draw.History[i];
    }

    private int TopK(in TokenDraw draw) => draw.Sampling?.Temperature == 0 ? 1 : draw.Sampling?.TopK ?? config.TopK;

    private int Window(in TokenDraw draw) => draw.Sampling?.RepetitionWindow ?? config.RepetitionWindow;
}
