using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>The products of a transformer's layer for many rows: cuBLAS, with own kernels around (prompt.cu). What each does is said at its namesake
/// of <see cref="ProductKernels"/>.</summary>
internal sealed class PromptKernels(CudaModule module, TransformerShape shape, CublasProducts products)
{
    private const int Threads = 256;

    private readonly CudaKernel _project = module.Kernel("finish_project");
    private readonly CudaKernel _add = module.Kernel("finish_add");
    private readonly CudaKernel _gate = module.Kernel("finish_gate");

    /// <summary>Bytes that a row's products take until they are finished.</summary>
    public static int ProductBytes(TransformerShape shape) => Math.Max(shape.Projected * sizeof(float), 2 * shape.Inner * shape.ElementBytes);

    public void Project(nint stream, int rows, in ResidualStream x, nint weight, nint bias, nint turns, in PagedCache cache, nint product,
        nint queries, float epsilon)
    {
        products.Multiply(stream, x.Normed, weight, product, rows, shape.Hidden, shape.Projected, shape.BFloat16);
        _project.Launch(stream, (rows, 1, 1), Threads, 0, afterKernel: false, product, x.Squares, bias, turns, cache.Positions, cache.Sequences,
            cache.Tables, Argument(cache.TableBlocks), queries, cache.Keys, cache.Values, Argument(epsilon));
    }

    public void Add(nint stream, int rows, nint y, int inputs, nint weight, nint norm, in ResidualStream x)
    {
        products.Multiply(stream, y, weight, x.Values, rows, inputs, shape.Hidden, shape.BFloat16, accumulate: true);
        _add.Launch(stream, (rows, 1, 1), (shape.Hidden / 2 + 31) / 32 * 32, 0, afterKernel: false, x.Values, norm, x.Normed, x.Squares);
    }

    public void Gate(nint stream, int rows, in ResidualStream x, nint weight, nint product, nint y, float epsilon)
    {
        products.Multiply(stream, x.Normed, weight, product, rows, shape.Hidden, 2 * shape.Inner, shape.BFloat16, shape.BFloat16);
        _gate.Launch(stream, (rows, 1, 1), Threads, 0, afterKernel: false, product, x.Squares, y, Argument(epsilon));
    }
}
