using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>An open pass of the decoder and whom it is for.</summary>
/// <param name="Items">Those whose rows it computes, or the one whose prompt.</param>
/// <param name="Rows">The rows, in the order of the items; null: a prompt.</param>
/// <param name="IsFirst">Whether it is for listeners who have heard nothing yet.</param>
internal sealed record DecodeWork(IReadOnlyList<DecodeItem> Items, IReadOnlyList<DecodeRow>? Rows, bool IsFirst) : IDisposable
{
    private IDecodePass? _pass;

    /// <summary>How long its parts have taken.</summary>
    public TimeSpan Spent { get; private set; }

    /// <summary>Its rows' tokens.</summary>
    public int Tokens { get; } = Rows?.Sum(row => row.Tokens.Length) ?? 0;

    /// <summary>A prompt's pass, which is opened already.</summary>
    public DecodeWork(DecodeItem item, IDecodePass prompt) : this([item], null, false) => _pass = prompt;

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool IsAbandoned => Items.All(item => item.Utterance.Job.HasEnded);

    /// <summary>When it is wanted: the moment the first of its listeners runs dry. A prompt waits for newcomers that can be served now.</summary>
    public TimeSpan Urgency(int sampleRate)
    {
        var urgency = TimeSpan.MaxValue;
        foreach (var item in Items)
            if (!item.Utterance.Job.HasEnded && item.RunsDry(sampleRate) is var dry && dry < urgency)
                urgency = dry;
        return Rows is null && urgency < TimeSpan.MaxValue ? urgency + Items[0].PromptsPatience : urgency;
    }

    /// <summary>Does one part.</summary>
    /// <returns>Whether there is more to do.</returns>
    public bool Advance(ISpeechDecoder decoder)
    {
        var time = Items[0].Utterance.Job.Time;
        var began = time.GetTimestamp();
        try
        {
            return (_pass ??= decoder.Begin(Rows!)).Advance();
        }
        finally
        {
            Spent += time.GetElapsedTime(began);
        }
    }

    public void Dispose() => _pass?.Dispose();
}
