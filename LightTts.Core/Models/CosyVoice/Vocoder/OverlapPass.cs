using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>A pass over some rows: a part is a call for those whose next calls are of equal lengths.</summary>
internal sealed class OverlapPass : IDecodePass
{
    private readonly OverlapVocoder _vocoder;
    private readonly List<Item> _open = [];

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
        List<Item> items = [.. _open.Where(item => item.Next == _open[0].Next && item.State.Source.Length == _open[0].State.Source.Length)];
        try
        {
            Run(items);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            foreach (var item in items)
            {
                item.Row.Error = e;
                _open.Remove(item);
            }
            return _open.Count > 0;
        }
        foreach (var item in items)
        {
            item.Next = item.State.NextCall(_vocoder.HeldFrames);
            if (item.Next > 0)
                continue;
            _open.Remove(item);
            item.Row.Samples = [.. item.Samples];
            if (item.Row.Final)
                item.State.Clear();
        }
        return _open.Count > 0;
    }

    public void Dispose() => _open.Clear();

    private void Take(VocoderRow row)
    {
        var state = (OverlapState)row.State;
        row.Samples = [];
        var bands = _vocoder.Config.MelBands;
        if (state.Finished)
            row.Error = new InvalidOperationException("The utterance is over: its last frames were handed over before, or its state is disposed.");
        else if (row.Mel.Dimensions != 3 || row.Mel.shape[0] != 1 || row.Mel.shape[1] != bands)
            row.Error = new ArgumentException($"The mel must be [1, {bands}, frames], not [{string.Join(", ", row.Mel.shape)}].");
        if (row.Error is not null)
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

    private void Run(List<Item> items)
    {
        using var scope = NewDisposeScope();
        var known = items[0].State.Source.Length;
        var again = known / _vocoder.SamplesPerFrame;
        var mel = cat([.. items.Select(item => item.State.Mel!.narrow(2, 0, again + item.Next))]);
        var source = known == 0 ? null
            : TensorData.FromSingles([.. items.SelectMany(item => item.State.Source)], _vocoder.Device, items.Count, 1, known);
        var (samples, made) = _vocoder.Run(mel, [.. items.Select(item => item.State.Done - again)], source);
        var (waves, sources) = (TensorData.ToSingles(samples), TensorData.ToSingles(made));
        var each = waves.Length / items.Count;
        for (var i = 0; i < items.Count; i++)
            Finish(items[i], waves.AsSpan(i * each, each), sources.AsSpan(i * each, each));
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
