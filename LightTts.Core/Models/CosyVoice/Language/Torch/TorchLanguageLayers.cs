using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>The language model's maths in libtorch operations, with its weights, its tables and the numbers in its KV cache.</summary>
/// <remarks>Qwen2 (transformers' modeling_qwen2.py): RMSNorm, grouped-query attention with rotary positions, SwiGLU. Nothing in it depends on
/// values, so that what is called with the same shapes can be captured.</remarks>
internal sealed class TorchLanguageLayers : IDisposable
{
    private readonly LanguageModelConfig _config;
    private readonly LanguageWeights _weights;
    private readonly Tensor _embedding; // [text vocabulary + speech rows, hidden]
    private readonly Tensor _turns;     // [positions, 1, head / 2] complex

    public TorchLanguageLayers(LanguageModelConfig config, LanguageWeights weights, TorchDevice device, int kvBlocks)
    {
        _config = config;
        _weights = weights;
        Device = device;
        Cache = new KvCache(config.Layers, kvBlocks * KvBlockPool.BlockSize, config.KvHeads, config.HeadDim, device);
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
        Counting = Index([.. Enumerable.Range(0, positions).Select(position => (long)position)]);
    }

    public TorchDevice Device { get; }

    public KvCache Cache { get; }

    /// <summary>[positions]: 0, 1, 2, ...</summary>
    public Tensor Counting { get; }

    /// <summary>Numbers of a row of logits.</summary>
    public int LogitCount => (int)_weights.Head.Outputs;

    /// <summary>An encoded input's row of the embedding table.</summary>
    public long TableRow(int input) => input >= 0 ? input : _config.TextVocabulary + (long)~input;

    public Tensor Index(IList<long> values) => tensor(values, device: Device.Device);

    /// <summary>All layers, which write the rows' keys and values into the cache.</summary>
    /// <param name="inputs">[T] rows of the embedding table.</param>
    /// <param name="positions">[T] each input's position in its sequence.</param>
    /// <param name="slots">[T] where its keys and values go.</param>
    /// <param name="groups">What sees what; together all rows, in their order.</param>
    /// <returns>[T, hidden], always 32-bit.</returns>
    public Tensor Run(Tensor inputs, Tensor positions, Tensor slots, IReadOnlyList<AttentionGroup> groups)
    {
        var turns = _turns.index_select(0, positions);
        var x = _embedding.index_select(0, inputs);
        for (var layer = 0; layer < _config.Layers; layer++)
            x = Layer(layer, x, turns, slots, groups);
        return x;
    }

    /// <summary>[T, hidden] -> [T, logits]</summary>
    public Tensor Logits(Tensor x) => _weights.Head.Apply(Normalise(x, _weights.Norm));

    public void Dispose()
    {
        Cache.Dispose();
        _embedding.Dispose();
        _turns.Dispose();
        Counting.Dispose();
        _weights.Dispose();
    }

    private Tensor Layer(int index, Tensor x, Tensor turns, Tensor slots, IReadOnlyList<AttentionGroup> groups)
    {
        using var scope = NewDisposeScope();
        var layer = _weights.Layers[index];
        int headDim = _config.HeadDim, queries = _config.Heads * headDim, keys = _config.KvHeads * headDim;

        var qkv = layer.Qkv.Apply(Normalise(x, layer.AttentionNorm)).to(ScalarType.Float32); // [T, (q, k, v)]
        var turned = view_as_complex(qkv.narrow(1, 0, queries + keys).unflatten(1, _config.Heads + _config.KvHeads, headDim / 2, 2));
        turned.mul_(turns); // rotates q and k where they lie
        qkv = qkv.to(Device.Compute);
        Cache.Write(index, slots, qkv.narrow(1, queries, 2 * keys));

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
        var (keys, values) = Cache.Read(layer, group.Slots, b); // [B, kv, L, d]
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
        var mask = group.Mask;                                           // [T, L]
        if (t % 64 == 1 && Device.IsCuda)
        {
            // The memory-efficient kernel of libtorch 2.11 computes the last of 64 n + 1 masked queries wrongly: it is asked for twice.
            q = cat([q, q.narrow(2, t - 1, 1)], 2);
            mask = cat([mask, mask.narrow(0, t - 1, 1)], 0);
        }
        o = scaled_dot_product_attention(q, keys, values, mask).narrow(2, 0, t);
        return o.permute(2, 0, 1, 3).reshape(t, kv * shared * d);
    }

    /// <summary>x / rms(x) * weight, in the type of the matrices.</summary>
    private Tensor Normalise(Tensor x, Tensor weight)
    {
        var scale = x.square().mean([-1], keepdim: true).add(Scalars.Of(_config.RmsNormEps)).rsqrt();
        return (x * scale * weight).to(Device.Compute);
    }
}
