using System.Runtime.InteropServices;
using LightTts.Models.CosyVoice.Files;
using LightTts.Cuda;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>The language model in libtorch operations: for CUDA devices, and the plain statement of the maths to which others are held.</summary>
/// <remarks>
/// Qwen2 (transformers' modeling_qwen2.py): RMSNorm, grouped-query attention with rotary
/// positions, SwiGLU. All inputs of a step go through the linear layers
/// together; rows with one input (decoding) share one attention call over padded lengths,
/// rows with more (prompts) have one each. A step that only decodes works on
/// preallocated buffers of few shapes (<see cref="LanguageStepBuffers"/>); on CUDA those of up to 1,024 positions are captured once and launched as
/// one piece.
/// </remarks>
internal sealed class TorchLanguageEngine : ILanguageEngine
{
    private static readonly int[] CapturedLengths = [128, 256, 512, 1024];

    private readonly LanguageModelConfig _config;
    private readonly LanguageWeights _weights;
    private readonly TorchDevice _device;
    private readonly KvCache _cache;
    private readonly Tensor _embedding; // [text vocabulary + speech rows, hidden]
    private readonly Tensor _turns;     // [positions, 1, head / 2] complex
    private readonly Tensor _counting;  // [positions]: 0, 1, 2, ...
    private readonly Dictionary<(int Rows, int Length), LanguageStepBuffers> _buffers = [];
    private readonly HostSampler _sampler;
    private readonly LanguageBatch _nobody = new();
    private int[] _captured = []; // lengths, ascending

    // The step that was launched: in buffers of its own, or, with prompts in it, its logits alone.
    private LanguageBatch? _batch;
    private LanguageStepBuffers? _step;
    private Tensor? _logits;

    public TorchLanguageEngine(LanguageModelConfig config, LanguageWeights weights, TorchDevice device, int kvBlocks)
    {
        using var inference = torch.inference_mode(true);
        _config = config;
        _weights = weights;
        _device = device;
        _sampler = new HostSampler(config);
        _cache = new KvCache(config.Layers, kvBlocks * KvBlockPool.BlockSize, config.KvHeads, config.HeadDim, device);
        // One table, so that a step looks every input up in the same way. The parts are not needed beside it.
        _embedding = cat([weights.TextEmbedding, weights.SpeechEmbedding], 0);
        weights.TextEmbedding.Dispose();
        weights.SpeechEmbedding.Dispose();
        // For every position that there can be: tables that grew would move, and what was captured would still read the old ones.
        var positions = LanguageStepBuffers.LengthFor(kvBlocks * KvBlockPool.BlockSize);
        var rotary = new RotaryTable(config.HeadDim, config.RopeTheta);
        rotary.Ensure(positions);
        using var pairs = TensorData.FromSingles(rotary.Pairs[..(positions * rotary.Stride)], device.Device, positions, 1, config.HeadDim / 2, 2);
        _turns = view_as_complex(pairs);
        _counting = Index([.. Enumerable.Range(0, positions).Select(position => (long)position)]);
    }

    public void Prepare(int maxRows)
    {
        // The default stream cannot be captured.
        if (!_device.IsCuda || !CudaGraph.IsSupported || CudaStream.CurrentId(_device.Device.index) == 0)
            return;
        using var inference = torch.inference_mode(true);
        var lengths = CapturedLengths.Where(length => length <= _counting.shape[0]).ToArray();
        var pool = CudaGraph.CreatePool();
        for (var rows = 1; rows <= LanguageStepBuffers.RowsFor(maxRows); rows *= 2)
            foreach (var length in lengths)
                Capture(Buffers(rows, length), pool);
        _captured = lengths;
    }

    private void Capture(LanguageStepBuffers buffers, CudaGraph.Pool pool)
    {
        void Step()
        {
            using var scope = NewDisposeScope();
            Compute(buffers);
        }

        Stage(_nobody, buffers);
        buffers.Send();
        // The first time libraries allocate what they need; what would fail in a capture fails here, where it can be caught.
        Step();
        Step();
        cuda.synchronize();
        buffers.Graph = CudaGraph.Capture(pool, Step);
    }

    public void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
    {
        using var inference = torch.inference_mode(true);
        using var scope = NewDisposeScope();
        Forget();
        _sampler.Expect(draws);
        _batch = batch;
        if (batch.Count == batch.Sequences.Count)
        {
            _step = Decode(batch);
            return;
        }

        var groups = AttentionGroups(batch);
        var slots = Index(WriteSlots(batch));
        var turns = Turns(batch.Positions); // [T, 1, head / 2] complex
        var x = Embed(batch.Inputs);        // [T, hidden], always 32-bit
        for (var layer = 0; layer < _config.Layers; layer++)
            x = Layer(layer, x, turns, slots, groups);
        if (batch.LogitRows.Count == 0)
            return;
        var last = x.index_select(0, Index([.. batch.LogitRows.Select(row => (long)row)]));
        _logits = _weights.Head.Apply(Normalise(last, _weights.Norm)).to(ScalarType.Float32).DetachFromDisposeScope();
    }

    public void Collect(Span<int> tokens)
    {
        CollectLogits();
        _sampler.Draw(tokens);
    }

    public ReadOnlySpan<float> CollectLogits()
    {
        using var inference = torch.inference_mode(true);
        var logits = _sampler.Logits;
        if (_step is { } step)
        {
            var all = step.Receive();
            var rows = _batch!.LogitRows;
            var width = logits.Length / Math.Max(1, rows.Count);
            for (var i = 0; i < rows.Count; i++)
                all.Slice(rows[i] * width, width).CopyTo(logits[(i * width)..]);
        }
        else if (_logits is { } head)
        {
            using var host = head.to(CPU).contiguous();
            MemoryMarshal.Cast<byte, float>(host.bytes).CopyTo(logits);
        }
        Forget();
        return logits;
    }

    public void Dispose()
    {
        Forget();
        _cache.Dispose();
        _embedding.Dispose();
        _turns.Dispose();
        _counting.Dispose();
        foreach (var buffers in _buffers.Values)
            buffers.Dispose();
        _weights.Dispose();
    }

    /// <summary>A step in which every sequence has one input.</summary>
    private LanguageStepBuffers Decode(LanguageBatch batch)
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

    private LanguageStepBuffers Buffers(int rows, int length)
    {
        if (!_buffers.TryGetValue((rows, length), out var buffers))
            _buffers[(rows, length)] = buffers = new LanguageStepBuffers(rows, length, (int)_weights.Head.Outputs, _device);
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

    /// <summary>Lets go of the step that was launched last.</summary>
    private void Forget()
    {
        _logits?.Dispose();
        (_logits, _step, _batch) = (null, null, null);
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
        write.Fill(_cache.Scratch);
        read.Fill(_cache.Padding);
        for (var row = 0; row < batch.Count; row++)
        {
            var (state, _, _, past) = batch.Sequences[row];
            inputs[row] = TableRow(batch.Inputs[row]);
            positions[row] = past;
            write[row] = Slot(state, past);
            var slots = read.Slice(row * buffers.Length, past + 1);
            for (var position = 0; position < slots.Length; position++)
                slots[position] = Slot(state, position);
        }
    }

    /// <summary>The step itself: from buffers to buffers, with nothing that depends on values, so that it can be captured as it is.</summary>
    private void Compute(LanguageStepBuffers buffers)
    {
        var unseen = _counting.narrow(0, 0, buffers.Length).unsqueeze(0).gt(buffers.Positions.unsqueeze(1)); // [B, L]
        var mask = zeros([buffers.Rows, buffers.Length], _device.Compute, _device.Device).masked_fill_(unseen,
            Scalars.Of(double.NegativeInfinity)).view(buffers.Rows, 1, 1, buffers.Length);
        List<AttentionGroup> groups = [new AttentionGroup(0, buffers.Rows, buffers.Rows, buffers.Read, mask)];
        var turns = _turns.index_select(0, buffers.Positions);
        var x = _embedding.index_select(0, buffers.Inputs);
        for (var layer = 0; layer < _config.Layers; layer++)
            x = Layer(layer, x, turns, buffers.Write, groups);
        buffers.Logits.copy_(_weights.Head.Apply(Normalise(x, _weights.Norm)));
    }

    private Tensor Layer(int index, Tensor x, Tensor turns, Tensor slots, List<AttentionGroup> groups)
    {
        using var scope = NewDisposeScope();
        var layer = _weights.Layers[index];
        int headDim = _config.HeadDim, queries = _config.Heads * headDim, keys = _config.KvHeads * headDim;

        var qkv = layer.Qkv.Apply(Normalise(x, layer.AttentionNorm)).to(ScalarType.Float32); // [T, (q, k, v)]
        var turned = view_as_complex(qkv.narrow(1, 0, queries + keys).unflatten(1, _config.Heads + _config.KvHeads, headDim / 2, 2));
        turned.mul_(turns); // rotates q and k where they lie
        qkv = qkv.to(_device.Compute);
        _cache.Write(index, slots, qkv.narrow(1, queries, 2 * keys));

        var outputs = new Tensor[groups.Count];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = Attend(index, qkv.narrow(1, 0, queries).narrow(0, groups[i].Start, groups[i].Rows), groups[i]);
        x = x.Plus(layer.Output.Apply(outputs.Length == 1 ? outputs[0] : cat(outputs, 0)));

        var gateUp = layer.GateUp.Apply(Normalise(x, layer.FeedForwardNorm)); // [T, 2 * inner]
        var gated = silu(gateUp.narrow(1, 0, _config.IntermediateSize)) * gateUp.narrow(1, _config.IntermediateSize, _config.IntermediateSize);
        x = x.Plus(layer.Down.Apply(gated));
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>Attention of a group's queries [B * T, heads * d] over its sequences' keys and values.</summary>
    private Tensor Attend(int layer, Tensor queries, AttentionGroup group)
    {
        int b = group.Sequences, t = group.Rows / b, kv = _config.KvHeads, shared = _config.Heads / kv, d = _config.HeadDim;
        var (keys, values) = _cache.Read(layer, group.Slots, b); // [B, kv, L, d]
        Tensor q, o;
        if (t == 1)
        {
            // The query heads that share a key head take the place of time.
            q = queries.view(b, kv, shared, d);
            o = scaled_dot_product_attention(q, keys, values, group.Mask); // mask [B, 1, 1, L]
            return o.reshape(b, kv * shared * d);
        }

        q = queries.view(t, kv, shared, d).permute(1, 2, 0, 3);          // [kv, shared, T, d]
        keys = keys.transpose(0, 1).expand(kv, shared, -1, d);           // [kv, shared, L, d]
        values = values.transpose(0, 1).expand(kv, shared, -1, d);
        o = scaled_dot_product_attention(q, keys, values, group.Mask);   // mask [T, L]
        return o.permute(2, 0, 1, 3).reshape(t, kv * shared * d);
    }

    /// <summary>x / rms(x) * weight, in the type of the matrices.</summary>
    private Tensor Normalise(Tensor x, Tensor weight)
    {
        var scale = x.square().mean([-1], keepdim: true).add(Scalars.Of(_config.RmsNormEps)).rsqrt();
        return (x * scale * weight).to(_device.Compute);
    }

    /// <summary>[T, hidden]: text and speech inputs from their table.</summary>
    private Tensor Embed(ReadOnlySpan<int> inputs)
    {
        var rows = new long[inputs.Length];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = TableRow(inputs[i]);
        return _embedding.index_select(0, Index(rows));
    }

    /// <summary>The rotation of each input's position as complex numbers, [T, 1, head / 2].</summary>
    private Tensor Turns(ReadOnlySpan<int> positions) => _turns.index_select(0, Index([.. positions.ToArray().Select(position => (long)position)]));

    private long TableRow(int input) => input >= 0 ? input : _config.TextVocabulary + (long)~input;

    /// <summary>The sequences that one attention call takes together.</summary>
    private sealed record AttentionGroup(int Start, int Rows, int Sequences, Tensor Slots, Tensor Mask);

    private List<AttentionGroup> AttentionGroups(LanguageBatch batch)
    {
        var groups = new List<AttentionGroup>();
        var decoding = 0;
        while (decoding < batch.Sequences.Count && batch.Sequences[decoding].Count == 1)
            decoding++;
        if (decoding > 0)
            groups.Add(Group([.. batch.Sequences.Take(decoding)]));
        foreach (var prompt in batch.Sequences.Skip(decoding))
            groups.Add(Group([prompt]));
        return groups;
    }

    /// <summary>Where the sequences' positions lie, padded to one length, and which of them each query sees.</summary>
    private AttentionGroup Group(LanguageBatch.Sequence[] sequences)
    {
        var count = sequences[0].Count;
        var longest = sequences.Max(sequence => sequence.Past + sequence.Count);
        var length = LanguageStepBuffers.LengthFor(longest);
        var slots = new long[sequences.Length * length];
        Array.Fill(slots, _cache.Padding);
        var mask = new float[sequences.Length * count * length];
        Array.Fill(mask, float.NegativeInfinity);
        for (var s = 0; s < sequences.Length; s++)
        {
            var (state, _, _, past) = sequences[s];
            for (var position = 0; position < past + count; position++)
                slots[s * length + position] = Slot(state, position);
            for (var t = 0; t < count; t++)
                mask.AsSpan((s * count + t) * length, past + t + 1).Clear();
        }

        long[] shape = count == 1 ? [sequences.Length, 1, 1, length] : [count, length];
        return new AttentionGroup(
            sequences[0].Start, sequences.Length * count, sequences.Length, Index(slots),
            TensorData.FromSingles(mask, _device.Device, shape).to(_device.Compute));
    }

    private static List<long> WriteSlots(LanguageBatch batch)
    {
        var slots = new List<long>(batch.Count);
        foreach (var (state, _, count, past) in batch.Sequences)
            for (var position = past; position < past + count; position++)
                slots.Add(Slot(state, position));
        return slots;
    }

    private static long Slot(LanguageState state, int position) =>
        (long)state.Blocks[position / KvBlockPool.BlockSize] * KvBlockPool.BlockSize + position % KvBlockPool.BlockSize;

    private Tensor Index(IList<long> values) => tensor(values, device: _device.Device);
}
