using System.Numerics;
using System.Numerics.Tensors;
using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>Chooses one of several weighted candidates: the only random part of <see cref="RasSampler"/>, so that tests can decide it.</summary>
internal interface IChooser
{
    /// <summary>The index of the chosen weight.</summary>
    /// <param name="weights">Not negative, at least one positive; they need not add up to 1.</param>
    int Choose(ReadOnlySpan<float> weights);
}

/// <summary>Repetition-aware sampling (VALL-E 2; <c>ras_sampling</c> in cosyvoice/utils/common.py).</summary>
/// <remarks>
/// Draws from the nucleus; where the drawn id occurred too often among the last tokens,
/// it is excluded and one draw from the whole distribution replaces it.
/// Not thread-safe: it keeps buffers.
/// </remarks>
internal sealed class RasSampler
{
    private readonly LanguageModelConfig _config;
    private readonly int _firstStop;
    private readonly int _lastStop;
    private readonly int _fill;
    private float[] _topValues;
    private int[] _topIds;
    private float[] _probabilities = [];
    private int _nucleus;

    /// <summary>A sampler that forbids every id which ends generation where the end is forbidden.</summary>
    /// <remarks>The reference forbids <see cref="SpeechVocabulary.IgnoreEosMask"/> alone. In
    /// CosyVoice3 that is not the id which ends a sentence, so short texts could end before
    /// their first sound; here none of the ids that end generation can be drawn there.
    /// With the reference's mask the draws are the reference's.</remarks>
    public RasSampler(LanguageModelConfig config, SpeechVocabulary vocabulary)
        : this(config, vocabulary.FirstStop, vocabulary.LastStop, vocabulary.Fill)
    {
    }

    /// <summary>A sampler that forbids the ids of a range.</summary>
    /// <param name="config">How to draw.</param>
    /// <param name="firstStop">First of the ids that are forbidden where the end is.</param>
    /// <param name="lastStop">Last of them.</param>
    /// <param name="fill">The one of them that a draw may allow (<see cref="TokenDraw.MayFill"/>); -1 for none.</param>
    public RasSampler(LanguageModelConfig config, int firstStop, int lastStop, int fill = -1)
    {
        _config = config;
        (_firstStop, _lastStop, _fill) = (firstStop, lastStop, fill);
        _topValues = new float[Math.Max(1, config.TopK)];
        _topIds = new int[Math.Max(1, config.TopK)];
    }

    /// <summary>Candidates of the last first-stage draw, most likely first.</summary>
    internal ReadOnlySpan<int> NucleusIds => _topIds.AsSpan(0, _nucleus);

    /// <summary>Their probabilities.</summary>
    internal ReadOnlySpan<float> NucleusProbabilities => _topValues.AsSpan(0, _nucleus);

    /// <summary>Draws a token with random numbers that depend on nothing but the draw's seed and position.</summary>
    /// <param name="logits">Unnormalised log-probabilities of one row; the excluded ids are overwritten.</param>
    /// <param name="draw">How to draw.</param>
    /// <param name="token">The token; -1 where none could be drawn.</param>
    /// <returns>False where a logit is not finite.</returns>
    public bool TryDraw(Span<float> logits, in TokenDraw draw, out int token)
    {
        var chooser = new PhiloxChooser(draw.Seed, draw.Position);
        token = AreFinite(logits) ? Draw(logits, draw.History, draw.IgnoreEos, draw.MayFill, draw.Sampling, ref chooser) : -1;
        return token >= 0;
    }

    /// <summary>Draws a token with a given source of decisions.</summary>
    public int Draw<TChooser>(Span<float> logits, IReadOnlyList<int> history, bool ignoreEos, ref TChooser chooser) where TChooser : IChooser =>
        Draw(logits, history, ignoreEos, false, null, ref chooser);

    private int Draw<TChooser>(Span<float> logits, IReadOnlyList<int> history, bool ignoreEos, bool mayFill, SamplingOptions? sampling,
        ref TChooser chooser) where TChooser : IChooser
    {
        var temperature = sampling?.Temperature ?? 1;
        var window = sampling?.RepetitionWindow ?? _config.RepetitionWindow;
        if (_probabilities.Length < logits.Length)
            _probabilities = new float[logits.Length];
        var probabilities = _probabilities.AsSpan(0, logits.Length);
        if (ignoreEos)
            Forbid(logits, mayFill ? _fill : -1);
        if (temperature is > 0 and not 1)
            TensorPrimitives.Divide(logits, (float)temperature, logits);
        Softmax(logits, probabilities);
        SelectNucleus(probabilities, (float)(sampling?.TopP ?? _config.TopP), temperature == 0 ? 1 : sampling?.TopK ?? _config.TopK);
        var token = _topIds[chooser.Choose(NucleusProbabilities)];
        // A request's window of nothing is no rule; the model's is, by the reference's formula, one that every token breaks.
        if (sampling?.RepetitionWindow == 0
            || CountRecent(history, token, window) < window * (sampling?.RepetitionThreshold ?? _config.RepetitionThreshold))
            return token;

        // The reference masks the repeated id and draws once more, from everything.
        logits[token] = float.NegativeInfinity;
        if (float.IsNegativeInfinity(TensorPrimitives.Max(logits)))
            return token; // nothing else is allowed here
        Softmax(logits, probabilities);
        if (temperature > 0)
            return chooser.Choose(probabilities);
        SelectNucleus(probabilities, 1, 1);
        return _topIds[0];
    }

    private void Forbid(Span<float> logits, int except)
    {
        var allowed = except >= 0 ? logits[except] : 0;
        logits[_firstStop..(_lastStop + 1)].Fill(float.NegativeInfinity);
        if (except >= 0)
            logits[except] = allowed;
    }

    private static bool AreFinite(ReadOnlySpan<float> x)
    {
        // x - x is 0 for a finite number and NaN for anything else.
        float faults = 0;
        var i = 0;
        if (x.Length >= Vector<float>.Count)
        {
            var fault = Vector<float>.Zero;
            for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var v = new Vector<float>(x[i..]);
                fault += v - v;
            }

            faults = Vector.Sum(fault);
        }

        for (; i < x.Length; i++)
            faults += x[i] - x[i];
        return !float.IsNaN(faults);
    }

    private static void Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max(logits), probabilities);
        TensorPrimitives.Exp(probabilities, probabilities);
        double sum = 0;
        foreach (var value in probabilities)
            sum += value;
        TensorPrimitives.Multiply(probabilities, (float)(1 / sum), probabilities);
    }

    /// <summary>The most likely ids, in the order of a stable descending sort, up to and
    /// including the one that crosses top_p, at most top_k.</summary>
    private void SelectNucleus(ReadOnlySpan<float> probabilities, float topP, int topK)
    {
        topK = Math.Max(1, topK);
        if (_topValues.Length < topK)
            (_topValues, _topIds) = (new float[topK], new int[topK]);
        var count = 0;
        var threshold = float.NegativeInfinity;
        for (var id = 0; id < probabilities.Length; id++)
        {
            var p = probabilities[id];
            if (p <= threshold)
                continue; // an equal value keeps the earlier id in front
            var at = count == topK ? count - 1 : count++;
            for (; at > 0 && _topValues[at - 1] < p; at--)
            {
                _topValues[at] = _topValues[at - 1];
                _topIds[at] = _topIds[at - 1];
            }

            _topValues[at] = p;
            _topIds[at] = id;
            if (count == topK)
                threshold = _topValues[count - 1];
        }

        float cumulative = 0;
        for (_nucleus = 0; _nucleus < count && cumulative < topP; _nucleus++)
            cumulative += _topValues[_nucleus];
        _nucleus = Math.Max(_nucleus, 1);
    }

    private static int CountRecent(IReadOnlyList<int> history, int token, int window)
    {
        var found = 0;
        for (var i = Math.Max(0, history.Count - window); i < history.Count; i++)
            if (history[i] == token)
                found++;
        return found;
    }
}

/// <summary>Chooses by inverse transform with one random number for each choice.</summary>
internal struct PhiloxChooser(ulong seed, int position) : IChooser
{
    private int _draw;

    public int Choose(ReadOnlySpan<float> weights) => InverseCdf(weights, Philox.Uniform(seed, position, _draw++));

    /// <summary>The smallest index whose share of the cumulative sum exceeds
    /// <paramref name="u"/>, in double precision; never one without weight.</summary>
    public static int InverseCdf(ReadOnlySpan<float> weights, double u)
    {
        double sum = 0;
        foreach (var weight in weights)
            sum += weight;
        double target = u * sum, cumulative = 0;
        var last = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] <= 0)
                continue;
            last = i;
            cumulative += weights[i];
            if (cumulative > target)
                break;
        }

        return last;
    }
}
