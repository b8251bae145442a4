using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>The two causal grouped convolutions of the input embedding over batches of one shape (reference: CausalConvPositionEmbedding), as
/// products over windows in the type of the other products.</summary>
internal sealed class DiTPositional : IDisposable
{
    private const long WindowBudget = 1L << 28; // numbers in the windows of a product

    private readonly ScalarType _compute;
    private readonly long _dim;
    private readonly long _groups;
    private readonly long _kernel;
    private readonly (Tensor Weight, Tensor Bias)[] _convolutions;

    public DiTPositional(DiTWeights weights, ScalarType compute)
    {
        (_compute, _dim, _groups, _kernel) = (compute, weights.Config.Dim, weights.Groups, weights.ConvTail + 1);
        using var scope = NewDisposeScope();
        // [Dim, Dim / groups, kernel] -> [groups, kernel Dim / groups, Dim / groups]: neighbours of a window are neighbours in memory.
        (Tensor, Tensor) Product(Tensor weight, Tensor bias) => (
            weight.view(_groups, _dim / _groups, _dim / _groups, _kernel).permute(0, 3, 2, 1).reshape(_groups, -1, _dim / _groups).to(compute)
                .contiguous().clone().DetachFromDisposeScope(),
            bias.view(_groups, 1, _dim / _groups).to(compute).clone().DetachFromDisposeScope());
        _convolutions = [Product(weights.Conv1, weights.Conv1Bias), Product(weights.Conv2, weights.Conv2Bias)];
    }

    /// <summary>[2 Rows Frames, Dim] -> the same, float32 -> the type of the products.</summary>
    /// <param name="h">The projected input.</param>
    /// <param name="shape">The batch's.</param>
    /// <param name="pages">Where the convolutions' inputs are kept, [rows, 2 Dim]; null where the shape is not paged.</param>
    /// <param name="places">Where frames lie; null where the shape is not paged.</param>
    public Tensor Apply(Tensor h, DiTShape shape, Tensor? pages, DiTPlaces? places)
    {
        var x = h.to(_compute);
        for (var i = 0; i < _convolutions.Length; i++)
        {
            Tensor joined;
            if (places is null)
            {
                joined = F.pad(x.view(2L * shape.Rows, shape.Frames, _dim), [0, 0, _kernel - 1, 0]);
            }
            else
            {
                var kept = pages!.narrow(1, i * _dim, _dim);
                kept.index_copy_(0, places.Own, x);
                joined = kept.index_select(0, places.Convolved).view(2L * shape.Rows, -1, _dim);
            }
            x = F.mish(Convolve(joined, _convolutions[i].Weight, _convolutions[i].Bias), inplace: true);
        }
        return x;
    }

    public void Dispose()
    {
        foreach (var (weight, bias) in _convolutions)
        {
            weight.Dispose();
            bias.Dispose();
        }
    }

    /// <summary>[n, kernel - 1 + m, Dim] -> [n m, Dim]</summary>
    private Tensor Convolve(Tensor x, Tensor weight, Tensor bias)
    {
        long rows = x.shape[0], frames = x.shape[1] - _kernel + 1, at = Math.Max(1, WindowBudget / (frames * _dim * _kernel));
        if (at >= rows)
            return Product(x);
        List<Tensor> parts = [];
        for (long first = 0; first < rows; first += at)
            parts.Add(Product(x.narrow(0, first, Math.Min(at, rows - first))));
        return cat(parts, 0);

        Tensor Product(Tensor part)
        {
            using var scope = NewDisposeScope();
            var windows = part.view(part.shape[0], part.shape[1], _groups, -1).unfold(1, _kernel, 1); // [n, m, groups, Dim / groups, kernel]
            windows = windows.permute(2, 0, 1, 4, 3).reshape(_groups, part.shape[0] * frames, -1);
            return bmm(windows, weight).PlusInPlace(bias).transpose(0, 1).reshape(-1, _dim).MoveToOuterDisposeScope();
        }
    }
}
