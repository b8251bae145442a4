using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>softmax(q kᵀ / √d) v for one utterance, by the fastest of libtorch's ways for device and type.</summary>
internal abstract class DiTAttention
{
    /// <summary>The way for a device and its compute type.</summary>
    public static DiTAttention For(TorchDevice device) => device.IsCuda || device.Compute == ScalarType.Float32 ? new Fused() : new Products();

    /// <summary>Full attention of every query to every key.</summary>
    /// <param name="q">[2, Heads, n, HeadDim], any strides.</param>
    /// <param name="k">[2, Heads, m, HeadDim].</param>
    /// <param name="v">[2, Heads, m, HeadDim].</param>
    /// <returns>[2, n, Heads HeadDim]</returns>
    public abstract Tensor Full(Tensor q, Tensor k, Tensor v);

    /// <summary>Chunk-causal attention: query i sees the keys before the end of its own chunk.</summary>
    /// <param name="q">Queries of the last n frames.</param>
    /// <param name="k">Keys of all frames to the last query's.</param>
    /// <param name="v">Values of the same.</param>
    /// <param name="chunk">Frames in a chunk, counted from the first key.</param>
    /// <returns>[2, n, Heads HeadDim]</returns>
    public Tensor ChunkCausal(Tensor q, Tensor k, Tensor v, int chunk)
    {
        long length = k.shape[2], start = length - q.shape[2];
        if (start / chunk == (length - 1) / chunk)
            return Full(q, k, v);
        // A pass a chunk: each sees only its own past, which is less work than a mask over everything.
        List<Tensor> parts = [];
        for (var at = start; at < length;)
        {
            var end = Math.Min((at / chunk + 1) * chunk, length);
            parts.Add(Full(q.narrow(2, at - start, end - at), k.narrow(2, 0, end), v.narrow(2, 0, end)));
            at = end;
        }
        return cat(parts, 1);
    }

    /// <summary>[2, Heads, n, HeadDim] -> [2, n, Heads HeadDim]</summary>
    private static Tensor Merge(Tensor heads) => heads.transpose(1, 2).reshape(heads.shape[0], heads.shape[2], heads.shape[1] * heads.shape[3]);

    private sealed class Fused : DiTAttention
    {
        public override Tensor Full(Tensor q, Tensor k, Tensor v) => Merge(F.scaled_dot_product_attention(q, k, v));
    }

    /// <summary>libtorch's fused CPU kernel does not use the processor's bfloat16
    /// instructions without AMX; separate products do and are 3 times as fast.</summary>
    private sealed class Products : DiTAttention
    {
        private const long ScoreBudget = 8 << 20; // numbers in a block of scores

        public override Tensor Full(Tensor q, Tensor k, Tensor v)
        {
            long heads = q.shape[0] * q.shape[1], queries = q.shape[2], block = Math.Max(1, ScoreBudget / (heads * k.shape[2]));
            q = q.mul(Scalars.Of(1 / Math.Sqrt(q.shape[3])));
            k = k.transpose(2, 3);
            if (queries <= block)
                return Block(q, k, v);
            List<Tensor> blocks = [];
            for (long at = 0; at < queries; at += block)
                blocks.Add(Block(q.narrow(2, at, Math.Min(block, queries - at)), k, v));
            return cat(blocks, 1);
        }

        private static Tensor Block(Tensor q, Tensor kTransposed, Tensor v) => Merge(matmul(F.softmax(matmul(q, kTransposed), -1), v));
    }
}
