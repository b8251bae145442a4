using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.Conformer;

/// <summary>Attention with relative positions, then a feed-forward part, each on the normalised residual stream (reference:
/// ConformerEncoderLayer without convolution and macaron, RelPositionMultiHeadedAttention).</summary>
internal sealed class ConformerLayer : IDisposable
{
    private const double NormEps = 1e-12;
    private const long ScoreBudget = 8 << 20; // numbers in a block of scores

    private readonly int _heads;
    private readonly long _headDim;
    private readonly long _dim;
    private readonly Linear _qkv;
    private readonly Linear _positions;
    private readonly Linear _out;
    private readonly Linear _up;
    private readonly Linear _down;
    private readonly Tensor[] _norms; // weight and bias before attention, weight and bias before the feed-forward part
    private readonly Tensor _biasU;
    private readonly Tensor _biasV;

    public ConformerLayer(WeightReader reader, string root, ConformerConfig config)
    {
        (_heads, _dim, _headDim) = (config.Heads, config.Dim, config.Dim / config.Heads);
        Linear Take(string name, long outputs, long inputs, bool bias = true) => Linear.Create(
            reader.Take($"{root}{name}.weight", outputs, inputs), bias ? reader.Take($"{root}{name}.bias", outputs) : null, ScalarType.Float32);
        Tensor Stack(string part, params long[] shape)
        {
            using var scope = NewDisposeScope();
            return cat([.. "qkv".Select(c => reader.Take($"{root}self_attn.linear_{c}.{part}", shape))], 0).MoveToOuterDisposeScope();
        }
        _qkv = Linear.Create(Stack("weight", _dim, _dim), Stack("bias", _dim), ScalarType.Float32);
        _positions = Take("self_attn.linear_pos", _dim, _dim, bias: false);
        _out = Take("self_attn.linear_out", _dim, _dim);
        _up = Take("feed_forward.w_1", config.FeedForward, _dim);
        _down = Take("feed_forward.w_2", _dim, config.FeedForward);
        _norms = [.. new[] { "norm_mha.weight", "norm_mha.bias", "norm_ff.weight", "norm_ff.bias" }.Select(name =>
            reader.Take(root + name, _dim).DetachFromDisposeScope())];
        _biasU = reader.Take($"{root}self_attn.pos_bias_u", _heads, _headDim).DetachFromDisposeScope();
        _biasV = reader.Take($"{root}self_attn.pos_bias_v", _heads, _headDim).DetachFromDisposeScope();
    }

    /// <summary>Runs the layer, in place on the residual stream.</summary>
    /// <param name="x">[n, Dim].</param>
    /// <param name="past">Keys and values of what comes before, [m, 2, Heads, HeadDim]; null at the start.</param>
    /// <param name="positions">Sinusoids of the distances from m + n - 1 down to 1 - n: [m + 2 n - 1, Dim].</param>
    /// <param name="chunk">Positions in a chunk of the chunk-causal mask, counted from the first; 0: each sees every other.</param>
    /// <returns>Keys and values of all positions, [m + n, 2, Heads, HeadDim].</returns>
    public Tensor Run(Tensor x, Tensor? past, Tensor positions, int chunk)
    {
        using var scope = NewDisposeScope();
        var split = _qkv.Apply(F.layer_norm(x, [_dim], _norms[0], _norms[1], NormEps)).view(-1, 3, _heads, _headDim);
        var now = split.narrow(1, 1, 2); // [n, 2, Heads, HeadDim]
        var all = past is null ? now.contiguous() : cat([past, now], 0);
        x.PlusInPlace(_out.Apply(Attend(split.select(1, 0), all, _positions.Apply(positions).view(-1, _heads, _headDim), chunk)));
        var up = F.silu(_up.Apply(F.layer_norm(x, [_dim], _norms[2], _norms[3], NormEps)), inplace: true);
        x.PlusInPlace(_down.Apply(up));
        return all.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var layer in (Linear[])[_qkv, _positions, _out, _up, _down])
            layer.Dispose();
        foreach (var tensor in (Tensor[])[.. _norms, _biasU, _biasV])
            tensor.Dispose();
    }

    /// <summary>Some queries at a time: those of a chunk, which see the same keys, and no more than memory is meant for.</summary>
    /// <param name="q">[n, Heads, HeadDim].</param>
    /// <param name="all">Keys and values, [total, 2, Heads, HeadDim].</param>
    /// <param name="positions">Distances, projected: [total + n - 1, Heads, HeadDim].</param>
    /// <param name="chunk">As above.</param>
    /// <returns>[n, Dim]</returns>
    private Tensor Attend(Tensor q, Tensor all, Tensor positions, int chunk)
    {
        long count = q.shape[0], total = all.shape[0], start = total - count;
        var block = Math.Max(1, ScoreBudget / (_heads * (total + count)));
        var (u, v) = (q.Plus(_biasU).transpose(0, 1), q.Plus(_biasV).transpose(0, 1)); // [Heads, n, HeadDim]
        var keysValues = all.permute(1, 2, 0, 3); // [2, Heads, total, HeadDim]
        positions = positions.permute(1, 2, 0); // [Heads, HeadDim, distances]
        List<Tensor> parts = [];
        for (var at = start; at < total;)
        {
            using var scope = NewDisposeScope();
            var seen = chunk > 0 ? Math.Min((at / chunk + 1) * chunk, total) : total;
            var end = Math.Min(at + block, seen);
            var (queries, first) = (end - at, total - end); // the first distance that they need is end - 1
            var keys = keysValues[0].narrow(1, 0, seen).transpose(1, 2); // [Heads, HeadDim, seen]
            var scores = matmul(u.narrow(1, at - start, queries), keys);
            var distances = matmul(v.narrow(1, at - start, queries), positions.narrow(2, first, queries + seen - 1)).contiguous();
            // Row i of the queries finds key j's distance in column queries - 1 - i + j: one step to the left with every row.
            var width = queries + seen - 1;
            scores.PlusInPlace(distances.as_strided([_heads, queries, seen], [queries * width, width - 1, 1], queries - 1));
            var weights = F.softmax(scores.mul_(Scalars.Of(1 / Math.Sqrt(_headDim))), -1);
            parts.Add(matmul(weights, keysValues[1].narrow(1, 0, seen)).transpose(0, 1).reshape(queries, _dim).MoveToOuterDisposeScope());
            at = end;
        }
        return parts.Count == 1 ? parts[0] : cat(parts, 0);
    }
}
