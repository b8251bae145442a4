using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>How the tokens of several utterances lie one behind the other for <see cref="PreLookaheadLayer"/>, so that its products see all of them
/// at once: of each, places for what it carries from the call before, its tokens, zeros behind the last one of an utterance.</summary>
internal sealed class LookaheadRows : IDisposable
{
    private readonly Tensor _indices; // all of the following in one copy

    /// <param name="rows">The utterances.</param>
    /// <param name="lookahead">Tokens that the layer looks ahead.</param>
    /// <param name="carried">Places that a call carries over to the next one.</param>
    /// <param name="repeats">How often each encoding is wanted.</param>
    /// <param name="nothing">An id that stands for zeros.</param>
    /// <param name="uploads">The way to where the tokens are encoded.</param>
    public LookaheadRows(IReadOnlyList<FlowTokens> rows, int lookahead, int carried, int repeats, long nothing, Uploads uploads)
    {
        Utterances = rows;
        Counts = [.. rows.Select(row => row.Final ? row.Ids.Length : row.Ids.Length - lookahead)];
        int tokens = rows.Sum(row => row.Ids.Length), before = carried * rows.Count, encodings = repeats * Counts.Sum();
        Length = tokens + before + lookahead * rows.Count(row => row.Final);
        var values = new long[2 * tokens + 2 * before + encodings + Length];
        Span<long> ids = values.AsSpan(0, tokens), places = values.AsSpan(tokens, tokens), earlier = values.AsSpan(2 * tokens, before);
        Span<long> later = values.AsSpan(2 * tokens + before, before), encoded = values.AsSpan(2 * tokens + 2 * before, encodings);
        var placed = values.AsSpan(2 * tokens + 2 * before + encodings);
        placed.Fill(nothing);
        int token = 0, encoding = 0, place = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            for (var at = 0; at < carried; at++)
                (earlier[i * carried + at], later[i * carried + at]) = (place + at, place + Counts[i] + at);
            for (var at = 0; at < repeats * Counts[i]; at++)
                encoded[encoding++] = place + at / repeats;
            place += carried;
            foreach (var id in rows[i].Ids.Span)
            {
                placed[place] = ids[token] = Math.Max(id, 0); // negative ids count as 0, as in the reference
                places[token++] = place++;
            }
            if (rows[i].Final)
                place += lookahead;
        }
        using var scope = NewDisposeScope();
        _indices = uploads.Integers(values).DetachFromDisposeScope();
        Tensor Part(long start, long count) => _indices.narrow(0, start, count).DetachFromDisposeScope();
        (Ids, Places, Earlier) = (Part(0, tokens), Part(tokens, tokens), Part(2L * tokens, before));
        (Later, Encoded) = (Part(2L * tokens + before, before), Part(2L * tokens + 2 * before, encodings));
        Placed = Part(2L * tokens + 2 * before + encodings, Length);
    }

    public IReadOnlyList<FlowTokens> Utterances { get; }

    /// <summary>Tokens of each utterance that are encoded.</summary>
    public int[] Counts { get; }

    /// <summary>Places.</summary>
    public int Length { get; }

    /// <summary>All tokens, [n].</summary>
    public Tensor Ids { get; }

    /// <summary>What is in each place, [<see cref="Length"/>]: the tokens, and the id that stands for zeros.</summary>
    public Tensor Placed { get; }

    /// <summary>The places of <see cref="Ids"/>, [n].</summary>
    public Tensor Places { get; }

    /// <summary>The places for what was carried over, [carried x utterances].</summary>
    public Tensor Earlier { get; }

    /// <summary>The places of what will be, the same.</summary>
    public Tensor Later { get; }

    /// <summary>Windows, counted from their first place, whose encodings are wanted: [repeats x sum of <see cref="Counts"/>].</summary>
    public Tensor Encoded { get; }

    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[Ids, Placed, Places, Earlier, Later, Encoded, _indices])
            tensor.Dispose();
    }
}
