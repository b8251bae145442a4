using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>A step's modulation carried through the products behind it, for kernels that take norm and modulation apart (flow_products.cu): with a
/// block's scale and shift, W scale ("slope") and W shift + b ("offset") of queries, keys and values, then of the feed-forward part.</summary>
internal static class DiTFold
{
    /// <summary>Numbers of a step.</summary>
    public static long Width(DiTWeights weights) => weights.Blocks.Length * BlockWidth(weights);

    /// <summary>Where a block's numbers begin among a step's: slope and offset of its first product, then of its second.</summary>
    public static (long Slope1, long Offset1, long Slope2, long Offset2) Places(DiTWeights weights, int block)
    {
        var at = DiTStep.Width(weights.Blocks.Length, weights.Config.Dim) + block * BlockWidth(weights);
        long first = weights.Blocks[0].Qkv.Outputs, second = weights.Blocks[0].Up.Outputs;
        return (at, at + first, at + 2 * first, at + 2 * first + second);
    }

    /// <summary>The table's further columns, block by block; in the caller's dispose scope.</summary>
    /// <param name="weights">Products of libtorch.</param>
    /// <param name="table">[Steps, <see cref="DiTStep.Width"/>], with 1 added to the scales.</param>
    public static List<Tensor> Columns(DiTWeights weights, Tensor table)
    {
        List<Tensor> columns = [];
        var dim = weights.Config.Dim;
        for (var i = 0; i < weights.Blocks.Length; i++)
        {
            var step = i * DiTStep.Parts;
            Tensor Part(int part) => table.narrow(1, (step + part) * dim, dim);
            foreach (var (product, shift, scale) in ((Linear, int, int)[])[(weights.Blocks[i].Qkv, 0, 1), (weights.Blocks[i].Up, 3, 4)])
            {
                using var scope = NewDisposeScope();
                var layer = (TorchLinear)product;
                var transposed = layer.Weight.to(ScalarType.Float32).t();
                var slope = Part(scale).matmul(transposed);
                var offset = Part(shift).matmul(transposed);
                if (layer.Bias is { } bias)
                    offset = offset.Plus(bias);
                columns.Add(cat([slope, offset], 1).MoveToOuterDisposeScope());
            }
        }
        return columns;
    }

    private static long BlockWidth(DiTWeights weights) => 2 * (weights.Blocks[0].Qkv.Outputs + weights.Blocks[0].Up.Outputs);
}
