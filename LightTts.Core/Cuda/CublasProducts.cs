using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>cuBLAS, which comes with a CUDA libtorch: matrix products of many rows. For one thread.</summary>
internal sealed unsafe class CublasProducts : IDisposable
{
    private const int Transposed = 1, Plain = 0;
    private const int Float32 = 0, BFloat16 = 14;
    private const int Compute32 = 68;
    private const int AnyAlgorithm = -1;

    private static readonly delegate* unmanaged<nint*, int> Create = (delegate* unmanaged<nint*, int>)CudaSymbols.OfTorch("cublasCreate_v2");
    private static readonly delegate* unmanaged<nint, int> Destroy = (delegate* unmanaged<nint, int>)CudaSymbols.OfTorch("cublasDestroy_v2");
    private static readonly delegate* unmanaged<nint, nint, int> SetStream =
        (delegate* unmanaged<nint, nint, int>)CudaSymbols.OfTorch("cublasSetStream_v2");

    private static readonly delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, int, nint, int, int, float*, nint, int, int, int,
        int, int> GemmEx = (delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, int, nint, int, int, float*, nint, int, int, int,
        int, int>)CudaSymbols.OfTorch("cublasGemmEx");

    private readonly nint _handle;

    private CublasProducts(nint handle) => _handle = handle;

    /// <returns>Null where there is none.</returns>
    public static CublasProducts? TryCreate()
    {
        nint handle;
        return Create != null && Destroy != null && SetStream != null && GemmEx != null && Create(&handle) == 0 ? new CublasProducts(handle) : null;
    }

    /// <summary>y = x Wᵀ, or y += x Wᵀ, with 32-bit sums.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="x">[rows, inputs], bfloat16 or 32-bit.</param>
    /// <param name="weight">[outputs, inputs], likewise.</param>
    /// <param name="y">[rows, outputs].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="inputs">Inputs.</param>
    /// <param name="outputs">Outputs.</param>
    /// <param name="bfloat16">Whether x and W are bfloat16.</param>
    /// <param name="bfloat16Result">Whether y is.</param>
    /// <param name="accumulate">Whether to add to what is there.</param>
    public void Multiply(nint stream, nint x, nint weight, nint y, int rows, int inputs, int outputs, bool bfloat16, bool bfloat16Result = false,
        bool accumulate = false)
    {
        float one = 1, other = accumulate ? 1 : 0;
        var type = bfloat16 ? BFloat16 : Float32;
        Check(SetStream(_handle, stream));
        Check(GemmEx(_handle, Transposed, Plain, outputs, rows, inputs, &one, weight, type, inputs, x, type, inputs, &other, y,
            bfloat16Result ? BFloat16 : Float32, outputs, Compute32, AnyAlgorithm));
    }

    public void Dispose() => _ = Destroy(_handle);

    private static void Check(int error)
    {
        if (error != 0)
            throw new ExternalException($"CUDA error: cuBLAS status {error}");
    }
}
