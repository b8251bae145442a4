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
        Turn(qkv, pages, buffers, places);
        if (places is not null)
            return AttendPages(qkv, pages!, buffers, places);
        var split = Split(qkv, buffers);
        return Attend(split.select(2, 0).transpose(1, 2), split.select(2, 1), split.select(2, 2), buffers.Mask);
    }

    /// <summary>Attention of the blocks' queries over the pages, in which their own keys and values lie by now.</summary>
    private Tensor AttendPages(Tensor qkv, Tensor pages, DiTStepBuffers buffers, DiTPlaces places)
    {
        var q = Split(qkv, buffers).select(2, 0).transpose(1, 2);
        long blocks = 2L * buffers.Shape.Rows, keys = buffers.Shape.Keys, at = Math.Max(1, GatherBudget / (2 * _heads * _headDim * keys));
        if (at >= blocks)
            return Gathered(0, blocks);
        List<Tensor> parts = [];
        for (long first = 0; first < blocks; first += at)
            parts.Add(Gathered(first, Math.Min(at, blocks - first)));
        return cat(parts, 0);

        Tensor Gathered(long first, long count)
        {
            using var scope = NewDisposeScope();
            var kept = pages.index_select(0, places.Keys.narrow(0, first * keys, count * keys)).view(count, keys, 2, _heads, _headDim);
            return Attend(q.narrow(0, first, count), kept.select(2, 0), kept.select(2, 1),
                buffers.Mask.narrow(0, first, count)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Turns queries and keys in place, and puts keys and values where they are kept.</summary>
    protected virtual void Turn(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places)
    {
        Rotate(Split(qkv, buffers), buffers);
        if (places is not null)
            pages!.index_copy_(0, places.Own, qkv.narrow(1, _heads * _headDim, 2 * _heads * _headDim));
    }

    /// <summary>[2 Rows Frames, 3 Heads HeadDim] -> [2 Rows, Frames, 3, Heads, HeadDim]</summary>
    private Tensor Split(Tensor qkv, DiTStepBuffers buffers) => qkv.view(2L * buffers.Shape.Rows, buffers.Shape.Frames, 3, _heads, _headDim);

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
