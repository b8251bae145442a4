using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>Steps in which every sequence has one input, on preallocated buffers of few shapes; on CUDA those of up to 1,024 positions are captured
/// once and launched as one piece.</summary>
internal sealed class TorchDecodeSteps(TorchLanguageLayers layers) : IDisposable
{
    private static readonly int[] CapturedLengths = [128, 256, 512, 1024];

    private readonly Dictionary<(int Rows, int Length), LanguageStepBuffers> _buffers = [];
    private readonly LanguageBatch _nobody = new();
    private int[] _captured = []; // lengths, ascending

    /// <summary>Captures what can be captured, on the thread that will launch it.</summary>
    public void Prepare(int maxRows)
    {
        var device = layers.Device;
        if (!device.IsCuda || !CudaGraph.CanCapture(device.Device.index))
            return;
        using var inference = inference_mode(true);
        var lengths = CapturedLengths.Where(length => length <= layers.Counting.shape[0]).ToArray();
        var pool = new CudaGraphPool();
        try
        {
            for (var rows = 1; rows <= LanguageStepBuffers.RowsFor(maxRows); rows *= 2)
                foreach (var length in lengths)
                    Capture(Buffers(rows, length), pool);
        }
        catch (ExternalException)
        {
            // The device has too little memory for more: such steps are launched as they come.
        }
        _captured = lengths;
    }

    /// <summary>Launches a step.</summary>
    /// <returns>Where its logits will be, a row for each of the batch's.</returns>
    public LanguageStepBuffers Launch(LanguageBatch batch)
    {
        var longest = 0;
        foreach (var position in batch.Positions)
            longest = Math.Max(longest, position + 1);
        var buffers = Buffers(LanguageStepBuffers.RowsFor(batch.Count), LengthFor(longest));
        Stage(batch, buffers);
        buffers.Send();
        if (buffers.Graph is { } graph)
            graph.Replay();
        else
            Compute(buffers);
        return buffers;
    }

    public void Dispose()
    {
        foreach (var buffers in _buffers.Values)
            buffers.Dispose();
    }

    private void Capture(LanguageStepBuffers buffers, CudaGraphPool pool)
    {
        void Step()
        {
            using var scope = NewDisposeScope();
            Compute(buffers);
        }

        Stage(_nobody, buffers);
        buffers.Send();
        buffers.Graph = CudaGraph.CaptureWarm(pool, Step);
    }

    private LanguageStepBuffers Buffers(int rows, int length)
    {
        if (!_buffers.TryGetValue((rows, length), out var buffers))
            _buffers[(rows, length)] = buffers = new LanguageStepBuffers(rows, length, layers.LogitCount, layers.Device);
        return buffers;
    }

    /// <summary>The shape's length: one that was captured where there is one, however coarse, as its launch costs next to nothing.</summary>
    private int LengthFor(int positions)
    {
        foreach (var length in _captured)
            if (length >= positions)
                return length;
        return LanguageStepBuffers.LengthFor(positions);
    }

    /// <summary>Writes a batch's inputs into the buffers. Padding rows are at position 0 of a sequence that holds zeros.</summary>
    private void Stage(LanguageBatch batch, LanguageStepBuffers buffers)
    {
        var rows = buffers.Rows;
        var staging = buffers.Staging;
        var inputs = staging[..rows];
        var positions = staging[rows..(2 * rows)];
        var write = staging[(2 * rows)..(3 * rows)];
        var read = staging[(3 * rows)..];
        inputs.Clear();
        positions.Clear();
        write.Fill(layers.Cache.Scratch);
        read.Fill(layers.Cache.Padding);
        for (var row = 0; row < batch.Count; row++)
        {
            var (state, _, _, past) = batch.Sequences[row];
            inputs[row] = layers.TableRow(batch.Inputs[row]);
            positions[row] = past;
            write[row] = KvCache.Slot(state, past);
            var slots = read.Slice(row * buffers.Length, past + 1);
            for (var position = 0; position < slots.Length; position++)
                slots[position] = KvCache.Slot(state, position);
        }
    }

    /// <summary>The step itself: from buffers to buffers, with nothing that depends on values, so that it can be captured as it is.</summary>
    private void Compute(LanguageStepBuffers buffers)
    {
        var device = layers.Device;
        var unseen = layers.Counting.narrow(0, 0, buffers.Length).unsqueeze(0).gt(buffers.Positions.unsqueeze(1)); // [B, L]
        var mask = zeros([buffers.Rows, buffers.Length], device.Compute, device.Device)
            .masked_fill_(unseen, Scalars.Of(double.NegativeInfinity)).view(buffers.Rows, 1, 1, buffers.Length);
        AttentionGroup[] groups = [new AttentionGroup(0, buffers.Rows, buffers.Rows, buffers.Read, mask)];
        buffers.Logits.copy_(layers.Logits(layers.Run(buffers.Inputs, buffers.Positions, buffers.Write, groups)));
    }
}
