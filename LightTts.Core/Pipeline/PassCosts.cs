namespace LightTts.Pipeline;

/// <summary>What passes have cost of late: a fixed part, and a part for each token; a line through what was measured, in which older passes count
/// less and less.</summary>
internal sealed class PassCosts
{
    private const double Memory = 0.97;  // of what was measured, what is left after one pass more
    private const int Enough = 8;        // passes before anything is said
    private const double Spread = 0.01;  // relative variance of the tokens, below which the parts cannot be told apart
    private const double Least = 0.001;  // seconds: what costs less need not be weighed
    private const double SlackTaken = 0.3;
    private const double FewestFixed = 6; // with the least budget a sixth of a pass is its fixed part,
    private const double MostFixed = 16;  // with the largest a sixteenth,
    private const double Short = 0.15;    // or this many seconds: beside others a long pass takes longer, which makes the fixed part look small

    private int _count;
    private double _weight;
    private double _tokens;
    private double _seconds;
    private double _tokensSquared;
    private double _tokensSeconds;

    /// <summary>Whether enough is known.</summary>
    public bool AreKnown { get; private set; }

    /// <summary>Seconds that a pass costs whatever is in it.</summary>
    public double Fixed { get; private set; }

    /// <summary>Seconds of a pass of the usual size; 0 where that is not known.</summary>
    public double Mean => AreKnown ? _seconds / _weight : 0;

    /// <summary>Seconds of each token.</summary>
    public double EachToken { get; private set; }

    /// <summary>A pass has ended.</summary>
    public void Record(int tokens, TimeSpan time)
    {
        var seconds = time.TotalSeconds;
        _count++;
        _weight = Memory * _weight + 1;
        _tokens = Memory * _tokens + tokens;
        _seconds = Memory * _seconds + seconds;
        _tokensSquared = Memory * _tokensSquared + (double)tokens * tokens;
        _tokensSeconds = Memory * _tokensSeconds + tokens * seconds;
        var (meanTokens, meanSeconds) = (_tokens / _weight, _seconds / _weight);
        var variance = _tokensSquared / _weight - meanTokens * meanTokens;
        AreKnown = _count >= Enough && meanSeconds >= Least && variance > Spread * meanTokens * meanTokens;
        if (!AreKnown)
            return;
        EachToken = Math.Clamp((_tokensSeconds / _weight - meanTokens * meanSeconds) / variance, 0, meanSeconds / meanTokens);
        Fixed = Math.Max(0, meanSeconds - EachToken * meanTokens); // rounding may leave a little less than nothing
    }

    /// <summary>Seconds that a pass will take; 0 where that is not known.</summary>
    public double Predict(int tokens) => AreKnown ? Fixed + EachToken * tokens : 0;

    /// <summary>Seconds that a pass may take: a part of the time until the first of its listeners runs dry, as newcomers overtake it and others
    /// run dry meanwhile; not so few that much of it is the fixed part, nor more than still make it cheaper. No limit where costs are not
    /// known.</summary>
    /// <param name="slack">Seconds until the first of its listeners runs dry; negative where that has happened.</param>
    public double Budget(double slack) =>
        AreKnown ? Math.Clamp(SlackTaken * slack, FewestFixed * Fixed, Math.Max(MostFixed * Fixed, Short)) : double.MaxValue;

    /// <summary>How many of those who wait for their first audio go together, so that they wait least on the average.</summary>
    /// <remarks>n of them in passes of m wait (Fixed + m t)(n / m + 1) / 2 on the average, with t the cost of one's tokens; that is least where
    /// m² = n Fixed / t: the fixed part is not paid too often, nor does anybody wait for too many others.</remarks>
    /// <param name="waiting">How many wait.</param>
    /// <param name="tokensEach">Tokens of each.</param>
    public int Together(int waiting, double tokensEach) => AreKnown && EachToken * tokensEach > 0
        ? (int)Math.Clamp(Math.Round(Math.Sqrt(waiting * Fixed / (EachToken * tokensEach))), 1, waiting)
        : waiting;
}
