using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>In libtorch's operations.</summary>
internal class TorchDiTOperations(Files.DiTConfig config, ScalarType compute) : DiTOperations
{
    protected const double NormEps = 1e-6;
    private const long GatherBudget = 1L << 28; // numbers of keys and values that are gathered at once

    private readonly long _dim = config.Dim;
    private readonly long _heads = config.Heads;
    private readonly long _headDim = config.HeadDim;

    public override Tensor Normalise(Tensor h, Tensor scale, Tensor shift)
    {
        var normalised = F.layer_norm(h, [_dim], scale, shift, NormEps);
        return compute == ScalarType.Float32 ? normalised : normalised.to(compute);
    }

    public override void Add(Tensor h, Tensor branch, Tensor gate) => h.addcmul_(branch, gate, Scalars.One);

    public override Tensor Attend(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places)
    {
        var rows = buffers.Shape.Rows;
        var inner = _heads * _headDim;
        var split = qkv.view(2L * rows, buffers.Shape.Frames, 3, _heads, _headDim);
        Turn(qkv, pages, buffers, places);
        var q = split.select(2, 0).transpose(1, 2);
        if (places is null)
            return Attend(q, split.select(2, 1), split.select(2, 2), buffers.Mask);
        var at = Math.Max(1, GatherBudget / (2 * inner * buffers.Shape.Keys)); // blocks
        if (at >= 2L * rows)
            return Blocks(0, 2L * rows);
        List<Tensor> parts = [];
        for (long first = 0; first < 2L * rows; first += at)
            parts.Add(Blocks(first, Math.Min(at, 2L * rows - first)));
        return cat(parts, 0);

        Tensor Blocks(long first, long count)
        {
            using var scope = NewDisposeScope();
            long keys = buffers.Shape.Keys;
            var kept = pages!.index_select(0, places.Keys.narrow(0, first * keys, count * keys)).view(count, keys, 2, _heads, _headDim);
            return Attend(q.narrow(0, first, count), kept.select(2, 0), kept.select(2, 1),
                buffers.Mask.narrow(0, first, count)).MoveToOuterDisposeScope();
        }
    }

    public override Tensor Gelu(Tensor up) => up.gelu_(TorchSharp.Modules.GELU.Approximate.tanh);

    /// <summary>Turns queries and keys in place, and puts keys and values where they are kept.</summary>
    protected virtual void Turn(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places)
    {
        Rotate(qkv.view(2L * buffers.Shape.Rows, buffers.Shape.Frames, 3, _heads, _headDim), buffers);
        if (places is not null)
            pages!.index_copy_(0, places.Own, qkv.narrow(1, _heads * _headDim, 2 * _heads * _headDim));
    }

    /// <summary>[n, Heads, q, HeadDim], twice [n, k, Heads, HeadDim], [n, 1, 1, k] -> [n q, Heads HeadDim]</summary>
    private Tensor Attend(Tensor q, Tensor keys, Tensor values, Tensor mask) =>
        F.scaled_dot_product_attention(q, keys.transpose(1, 2), values.transpose(1, 2), mask).transpose(1, 2).reshape(-1, _heads * _headDim);

    /// <summary>Rotary positions, on the first head of queries and keys only and on
    /// interleaved pairs, as the reference applies them to unsplit vectors.</summary>
    private void Rotate(Tensor split, DiTStepBuffers buffers)
    {
        var rotations = buffers.Rotations.view_as_complex(); // [Rows Frames, 1, HeadDim / 2]
        var first = split.narrow(2, 0, 2).select(3, 0); // [2 Rows, Frames, 2 (q, k), HeadDim]
        long[] pairs = [2, rotations.shape[0], 2, _headDim / 2, 2];
        if (compute == ScalarType.Float32)
        {
            first.view(pairs).view_as_complex().mul_(rotations);
            return;
        }
        var rotated = first.to(ScalarType.Float32).view(pairs).view_as_complex() * rotations;
        first.copy_(rotated.view_as_real().view(first.shape));
    }
}
