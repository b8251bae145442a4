using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>A pass over some rows: a part is a tile of a call for those whose next calls are of equal lengths.</summary>
internal sealed class OverlapPass : IDecodePass
{
    private readonly OverlapVocoder _vocoder;
    private readonly List<Item> _open = [];
    private List<Item> _items = []; // of the call
    private OverlapCall? _call;

    public OverlapPass(OverlapVocoder vocoder, IReadOnlyList<VocoderRow> rows)
    {
        _vocoder = vocoder;
        using var mode = inference_mode();
        foreach (var row in rows)
            Take(row);
    }

    public bool Advance()
    {
        if (_open.Count == 0)
            return false;
        using var mode = inference_mode();
        try
        {
            if ((_call ??= Begin()).Advance())
                return true;
            using var scope = NewDisposeScope();
            Finish(_call.Finish());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            foreach (var item in _items)
            {
                item.Row.Error = e;
                _open.Remove(item);
            }
        }
        _call?.Dispose();
        _call = null;
        return _open.Count > 0;
    }

    public void Dispose()
    {
        _call?.Dispose();
        _call = null;
        _open.Clear();
    }

    private void Take(VocoderRow row)
    {
        var state = (OverlapState)row.State;
        if (!row.Begin(state.Finished, _vocoder.Config.MelBands))
            return;
        using var scope = NewDisposeScope();
        if (row.Mel.shape[2] > 0)
            state.Append(row.Mel.to(ScalarType.Float32, _vocoder.Device));
        state.Finished = row.Final;
        if (state.NextCall(_vocoder.HeldFrames) is > 0 and var next)
        {
            _open.Add(new Item(row, state) { Next = next });
            return;
        }
        if (!row.Final)
            return;
        // Nothing follows what was withheld.
        row.Samples = state.Speech;
        state.Clear();
    }

    private OverlapCall Begin()
    {
        var next = _open[0];
        _items = [.. _open.Where(item => item.Next == next.Next && item.State.Source.Length == next.State.Source.Length)];
        using var scope = NewDisposeScope();
        var known = next.State.Source.Length;
        var again = known / _vocoder.SamplesPerFrame;
        var mel = cat([.. _items.Select(item => item.State.Mel!.narrow(2, 0, again + item.Next))]);
        var source = known == 0 ? null
            : TensorData.FromSingles([.. _items.SelectMany(item => item.State.Source)], _vocoder.Device, _items.Count, 1, known);
        return _vocoder.Begin(mel, [.. _items.Select(item => item.State.Done - again)], source);
    }

    private void Finish((Tensor Samples, Tensor Source) made)
    {
        var (waves, sources) = (TensorData.ToSingles(made.Samples), TensorData.ToSingles(made.Source));
        var each = waves.Length / _items.Count;
        for (var i = 0; i < _items.Count; i++)
        {
            var item = _items[i];
            Finish(item, waves.AsSpan(i * each, each), sources.AsSpan(i * each, each));
            if ((item.Next = item.State.NextCall(_vocoder.HeldFrames)) > 0)
                continue;
            _open.Remove(item);
            item.Row.Samples = [.. item.Samples];
            if (item.Row.Final)
                item.State.Clear();
        }
    }

    private void Finish(Item item, Span<float> wave, ReadOnlySpan<float> source)
    {
        var state = item.State;
        if (state.Speech.Length > 0)
            _vocoder.Fade.Apply(state.Speech, wave, (float)_vocoder.Config.AudioLimit);
        var isLast = item.Row.Final && item.Next == state.Waiting;
        var held = isLast ? 0 : _vocoder.Fade.Samples;
        item.Samples.AddRange(wave[..^held]);
        state.Advance(item.Next, held / _vocoder.SamplesPerFrame, source[^held..].ToArray(), wave[^held..].ToArray());
    }

    /// <summary>A row that has something to compute.</summary>
    private sealed class Item(VocoderRow row, OverlapState state)
    {
        public VocoderRow Row => row;

        public OverlapState State => state;

        /// <summary>New frames of its next call.</summary>
        public long Next { get; set; }

        public List<float> Samples { get; } = [];
    }
}
