using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>A pass of the vocoder over some rows: a part is a step of some frames of one batch.</summary>
internal sealed class HiftPass : IDecodePass
{
    private readonly HiftVocoder _vocoder;
    private readonly Queue<Batch> _waiting = new();
    private Batch? _batch;

    public HiftPass(HiftVocoder vocoder, IReadOnlyList<VocoderRow> rows)
    {
        _vocoder = vocoder;
        using var mode = inference_mode();
        foreach (var group in rows.Where(Take).GroupBy(row => (State(row).Started, row.Final, Waiting: State(row).Waiting!.shape[2])))
            _waiting.Enqueue(new Batch([.. group]));
    }

    public bool Advance()
    {
        if (_batch is null && !_waiting.TryDequeue(out _batch))
            return false;
        using var mode = inference_mode();
        try
        {
            if (Step(_batch))
                return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            foreach (var row in _batch.Rows)
                row.Error = e;
        }
        _batch.Dispose();
        _batch = null;
        return _waiting.Count > 0;
    }

    public void Dispose()
    {
        _batch?.Dispose();
        _batch = null;
        _waiting.Clear();
    }

    private static VocoderState State(VocoderRow row) => (VocoderState)row.State;

    // Adds a row's frames to those that wait; false if the row has nothing to run.
    private bool Take(VocoderRow row)
    {
        var state = State(row);
        if (!row.Begin(state.Finished, _vocoder.Config.MelBands))
            return false;
        using var scope = NewDisposeScope();
        var mel = row.Mel.to(ScalarType.Float32, _vocoder.Device);
        var waiting = (state.Waiting is { } before ? cat([before, mel], 2) : mel.alias()).DetachFromDisposeScope();
        state.Waiting?.Dispose();
        state.Waiting = waiting;
        state.Frames += row.Mel.shape[2];
        state.Finished = row.Final;
        // The first step needs a frame beyond the look-ahead.
        if (row.Final)
            return state.Frames > 0;
        return waiting.shape[2] > (state.Started ? 0 : _vocoder.Config.ConvPreLookRight);
    }

    private bool Step(Batch batch)
    {
        using var scope = NewDisposeScope();
        batch.Open();
        var count = Math.Min(_vocoder.StepFrames, batch.Frames - batch.At);
        batch.Pass!.Final = batch.Rows[0].Final && batch.At + count == batch.Frames;
        batch.Pieces.Add(_vocoder.Step(batch.Pass, batch.Mel!.narrow(2, batch.At, count)).DetachFromDisposeScope());
        batch.At += count;
        if (batch.At < batch.Frames)
            return true;
        var limit = _vocoder.Config.AudioLimit;
        var samples = cat(batch.Pieces, 1).clamp_(Scalars.Of(-limit), Scalars.Of(limit)).cpu();
        batch.Pass.Commit();
        var values = TensorData.ToSingles(samples);
        var each = values.Length / batch.Rows.Length;
        for (var i = 0; i < batch.Rows.Length; i++)
            Emit(batch.Rows[i], values.AsSpan(i * each, each));
        return false;
    }

    private void Emit(VocoderRow row, ReadOnlySpan<float> fresh)
    {
        var state = State(row);
        float[] ready = [.. state.Held, .. fresh];
        var due = Math.Max(0, (state.Frames - _vocoder.HeldFrames) * _vocoder.SamplesPerFrame - state.Emitted);
        var count = row.Final ? ready.Length : (int)Math.Min(ready.Length, due);
        (row.Samples, state.Held) = (ready[..count], ready[count..]);
        state.Emitted += count;
        if (row.Final)
        {
            state.Clear();
            return;
        }
        state.Waiting?.Dispose();
        state.Waiting = null;
    }

    /// <summary>Rows that run as one.</summary>
    private sealed class Batch(VocoderRow[] rows) : IDisposable
    {
        public VocoderRow[] Rows => rows;

        public VocoderPass? Pass { get; private set; }

        /// <summary>[B, bands, n]</summary>
        public Tensor? Mel { get; private set; }

        public long Frames => Mel!.shape[2];

        public long At { get; set; }

        /// <summary>Samples of the steps that are done, each [B, m].</summary>
        public List<Tensor> Pieces { get; } = [];

        public void Open()
        {
            if (Pass is not null)
                return;
            Mel = (rows.Length == 1 ? State(rows[0]).Waiting!.alias() : cat([.. rows.Select(row => State(row).Waiting!)])).DetachFromDisposeScope();
            Pass = new VocoderPass([.. rows.Select(State)]);
        }

        public void Dispose()
        {
            Pass?.Dispose();
            Mel?.Dispose();
            foreach (var piece in Pieces)
                piece.Dispose();
        }
    }
}
