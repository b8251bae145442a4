using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>A pass over windows of some rows: a part is one batch of them.</summary>
internal sealed class HiftWindowPass : IDecodePass
{
    private readonly HiftWindowVocoder _vocoder;
    private readonly List<VocoderRow> _waiting = []; // with frames whose samples can be had
    private readonly HashSet<VocoderRow> _suspects = []; // of a batch that failed

    public HiftWindowPass(HiftWindowVocoder vocoder, IReadOnlyList<VocoderRow> rows)
    {
        _vocoder = vocoder;
        using var mode = inference_mode();
        foreach (var row in rows)
            Guard(row, () =>
            {
                if (Take(row) && IsDue(row))
                    _waiting.Add(row);
            });
    }

    public bool Advance()
    {
        if (_waiting.Count == 0)
            return false;
        using var mode = inference_mode();
        var batch = Batch();
        try
        {
            Step(batch);
        }
        catch (Exception) when (batch.Count > 1)
        {
            // The device may have too little memory for so many, and states change only where a batch succeeds: each is tried alone.
            _suspects.UnionWith(batch);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            batch[0].Error = e;
        }
        _waiting.RemoveAll(row => row.Error is not null || !IsDue(row));
        return _waiting.Count > 0;
    }

    public void Dispose() => _waiting.Clear();

    private static void Guard(VocoderRow row, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            row.Error = e;
        }
    }

    private static HiftWindowState State(VocoderRow row) => (HiftWindowState)row.State;

    /// <summary>Frames of a row's next window.</summary>
    private static int Window(VocoderRow row) => Math.Min(State(row).Length, HiftWindowVocoder.LongestWindow);

    /// <summary>Whether the utterance's end lies in a row's next window.</summary>
    private static bool IsLast(VocoderRow row) => row.Final && Window(row) == State(row).Length;

    /// <summary>The utterance's samples to the end of what a row's next window determines.</summary>
    private long Due(VocoderRow row)
    {
        var end = State(row).Start + Window(row);
        return Math.Max(0, IsLast(row) ? end : end - _vocoder.HeldFrames) * _vocoder.SamplesPerFrame;
    }

    private bool IsDue(VocoderRow row) => State(row).Mel is not null && Due(row) > State(row).Emitted;

    /// <summary>Adds a row's frames to its state; false if it cannot be run.</summary>
    private bool Take(VocoderRow row)
    {
        var state = State(row);
        if (!row.Begin(state.Finished, _vocoder.Config.MelBands))
            return false;
        using var scope = NewDisposeScope();
        if (row.Mel.shape[2] > 0)
            state.Append(row.Mel.to(ScalarType.Float32, _vocoder.Device)[0]);
        state.Finished = row.Final;
        return true;
    }

    /// <summary>The rows with the longest windows, as many as go together; a suspect alone.</summary>
    private List<VocoderRow> Batch()
    {
        _waiting.Sort((a, b) => Window(b).CompareTo(Window(a)));
        var batch = new List<VocoderRow>();
        foreach (var row in _waiting)
            if (batch.Count == 0 || (!_suspects.Contains(batch[0]) && !_suspects.Contains(row)
                && HiftWindowVocoder.Together(batch.Count + 1, Window(batch[0]), Window(row))))
                batch.Add(row);
        return batch;
    }

    private void Step(List<VocoderRow> batch)
    {
        using var scope = NewDisposeScope();
        var buffers = _vocoder.BuffersFor(batch.Count, Window(batch[0]));
        var starts = batch.Select(row => State(row).Start * _vocoder.SamplesPerFrame).ToArray();
        buffers.Clear([.. batch.Select(row => _vocoder.Describe(State(row), Window(row), IsLast(row), buffers))]);
        if (buffers.Copies)
            Copy(batch, starts, buffers);
        _vocoder.Launch(buffers);
        Emit(batch, starts, buffers);
    }

    private void Copy(List<VocoderRow> batch, long[] starts, HiftWindowBuffers buffers)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var state = State(batch[i]);
            var count = Window(batch[i]);
            buffers.Mel[i].narrow(1, 0, count).copy_(state.Mel!.narrow(1, 0, count));
            if (state.Known is { } known)
                buffers.Known[i].narrow(1, 0, state.KnownLength).copy_(known);
        }
        buffers.Noise.narrow(0, 0, batch.Count).copy_(_vocoder.Network.Source.Noise(starts, buffers.Frames));
    }

    private void Emit(List<VocoderRow> batch, long[] starts, HiftWindowBuffers buffers)
    {
        // One copy for all rows, of the columns that any of them wants.
        var from = batch.Select((row, i) => (int)(State(row).Emitted - starts[i])).ToArray();
        var to = batch.Select((row, i) => (int)(Due(row) - starts[i])).ToArray();
        var last = batch.ConvertAll(IsLast);
        var (first, width) = (from.Min(), to.Max() - from.Min());
        // What is kept is launched while the device still computes what it is kept of.
        var kept = new (int Drop, Tensor? Mel, Tensor Pitch)?[batch.Count];
        for (var i = 0; i < batch.Count; i++)
            kept[i] = last[i] ? null : Kept(batch[i], buffers.Pitch, i);
        var samples = _vocoder.Receive(buffers, batch.Count, first, width);
        for (var i = 0; i < batch.Count; i++)
        {
            var row = batch[i];
            if (kept[i] is { } later)
                State(row).Keep(later.Drop, later.Mel, later.Pitch);
            else
                State(row).Clear();
            var fresh = samples.Slice(i * width + from[i] - first, to[i] - from[i]);
            row.Samples = [.. row.Samples, .. fresh];
            State(row).Emitted += fresh.Length;
            if (last[i])
                Sharpen(row.Samples.AsSpan()[^_vocoder.Config.IstftHop..]);
        }
    }

    /// <summary>What later windows need: the last frames, where there is more, and the pitch of theirs that no later frame changes.</summary>
    private (int Drop, Tensor? Mel, Tensor Pitch) Kept(VocoderRow row, Tensor pitch, int number)
    {
        var count = Window(row);
        var drop = Math.Max(0, count - _vocoder.ContextFrames);
        var known = Math.Max(0, count - drop - VocoderF0.LookRight);
        var state = State(row);
        return (drop, drop == 0 ? null : state.Mel!.narrow(1, drop, state.Length - drop).clone(), pitch[number].narrow(1, drop, known).clone());
    }

    /// <summary>An utterance's last samples, beside whose edge fewer windows overlap.</summary>
    private void Sharpen(Span<float> last)
    {
        var limit = (float)_vocoder.Config.AudioLimit;
        for (var i = 0; i < last.Length; i++)
            last[i] = Math.Clamp(last[i] * _vocoder.Network.Spectrum.LastScale[i], -limit, limit);
    }
}
