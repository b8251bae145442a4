using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Gives out the slots in which layers keep their tails.</summary>
internal sealed class VocoderSlots
{
    public int Count { get; private set; }

    public int Next() => Count++;
}

/// <summary>The states of several utterances joined for a batch of equal frame counts: a layer's tail is [B, channels, length].</summary>
/// <remarks>Owns its tails and hands them to the states only in <see cref="Commit"/>, so
/// that a batch that fails leaves its states as they were.</remarks>
internal sealed class VocoderPass : IDisposable
{
    private readonly IReadOnlyList<VocoderState> _states;
    private readonly Tensor?[] _tails;
    private readonly long[] _samples;
    private readonly bool _isWindow;

    public VocoderPass(IReadOnlyList<VocoderState> states)
    {
        _states = states;
        Rows = states.Count;
        _samples = [.. states.Select(s => s.SourceSamples)];
        _tails = new Tensor?[states[0].Tails.Length];
        First = !states[0].Started;
    }

    private VocoderPass(int rows)
    {
        (_states, _tails, _samples, First, _isWindow, Rows) = ([], [], [], true, true, rows);
    }

    /// <summary>A pass over windows: as at the beginning of an utterance, with nothing kept for another one.</summary>
    public static VocoderPass Window(int rows) => new(rows);

    /// <summary>Whether nothing is kept, so that a layer need not lay its input out for it.</summary>
    public bool IsWindow => _isWindow;

    /// <summary>Whether no frame was decoded before.</summary>
    public bool First { get; private set; }

    /// <summary>Whether the frames of this step are the last.</summary>
    public bool Final { get; set; }

    public int Rows { get; }

    /// <summary>Positions of the rows in the noise table.</summary>
    public ReadOnlySpan<long> SourceSamples => _samples;

    /// <summary>The tail in a slot, or null at the beginning.</summary>
    public Tensor? Tail(int slot)
    {
        if (_isWindow)
            return null;
        if (_tails[slot] is null && _states[0].Tails[slot] is { } first)
            return Rows == 1 ? first : _tails[slot] = cat([.. _states.Select(s => s.Tails[slot]!)]).DetachFromDisposeScope();
        return _tails[slot];
    }

    /// <summary>Replaces the tail in a slot; the pass owns it.</summary>
    public void Keep(int slot, Tensor tail)
    {
        if (_isWindow)
        {
            tail.Dispose();
            return;
        }
        _tails[slot]?.Dispose();
        _tails[slot] = tail.DetachFromDisposeScope();
    }

    /// <summary>Puts a layer's tail before its new input and keeps the joined end as the next tail. The first pass begins with zeros.</summary>
    /// <param name="slot">The layer's slot.</param>
    /// <param name="input">[B, channels, n].</param>
    /// <param name="initial">Zeros before the first input.</param>
    /// <param name="keep">Length of the tail.</param>
    public Tensor Join(int slot, Tensor input, long initial, long keep)
    {
        if (keep == 0)
            return input;
        var tail = Tail(slot) ?? (initial > 0 ? zeros([input.shape[0], input.shape[1], initial], input.dtype, input.device) : null);
        var joined = tail is null ? input : cat([tail, input], 2);
        KeepEnd(slot, joined, keep);
        return joined;
    }

    /// <summary>As <see cref="Join(int, Tensor, long, long)"/>, with the input's room
    /// left to fill; <see cref="KeepEnd"/> follows when it is filled.</summary>
    /// <returns>[B, channels, tail + columns].</returns>
    public Tensor Open(int slot, Tensor like, long tail)
    {
        var joined = empty([like.shape[0], like.shape[1], tail + like.shape[2]], like.dtype, like.device);
        using var before = joined.narrow(2, 0, tail);
        if (Tail(slot) is { } kept)
            before.copy_(kept);
        else
            before.zero_();
        return joined;
    }

    /// <summary>Keeps the end of a joined input as the next tail.</summary>
    public void KeepEnd(int slot, Tensor joined, long tail)
    {
        if (_isWindow)
            return;
        using var end = joined.narrow(2, joined.shape[2] - tail, tail);
        // A copy: a view would keep the whole activation alive.
        Keep(slot, end.clone());
    }

    /// <summary>Ends one step of the pass.</summary>
    /// <param name="samples">Source samples that it made.</param>
    public void Advance(long samples)
    {
        First = false;
        for (var i = 0; i < _samples.Length; i++)
            _samples[i] += samples;
    }

    /// <summary>Hands tails and positions over to the states.</summary>
    public void Commit()
    {
        for (var row = 0; row < Rows; row++)
        {
            var state = _states[row];
            for (var i = 0; i < _tails.Length; i++)
            {
                if (_tails[i] is not { } tail)
                    continue;
                using var part = tail.narrow(0, row, 1);
                state.Tails[i]?.Dispose();
                state.Tails[i] = part.clone().DetachFromDisposeScope();
            }
            state.SourceSamples = _samples[row];
            state.Started = true;
        }
    }

    public void Dispose()
    {
        foreach (var tail in _tails)
            tail?.Dispose();
    }
}
