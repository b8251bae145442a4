using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>cuBLASLt, which comes with a CUDA libtorch: matrix products of many rows in bfloat16 with what follows them, each by the library's first
/// choice for its sizes, which is asked for once (the fastest of its first 4 or 16 was no faster in a layer, measured on an H100). For one
/// thread.</summary>
internal sealed unsafe class CublasLtProducts : IDisposable
{
    private const int Float32 = 0, BFloat16 = 14; // cudaDataType
    private const int Compute32 = 68;             // cublasComputeType_t
    private const int TransposeA = 3, Epilogue = 7, BiasAddress = 8; // cublasLtMatmulDescAttributes_t
    private const int Bias = 4, GeluBias = 36;    // cublasLtEpilogue_t; its GELU is the one by the hyperbolic tangent
    private const int MaxWorkspace = 1;           // cublasLtMatmulPreferenceAttributes_t

    private static readonly delegate* unmanaged<nint*, int> Create = (delegate* unmanaged<nint*, int>)CudaSymbols.OfTorch("cublasLtCreate");
    private static readonly delegate* unmanaged<nint, int> Destroy = (delegate* unmanaged<nint, int>)CudaSymbols.OfTorch("cublasLtDestroy");

    private static readonly delegate* unmanaged<nint*, int, int, int> CreateOperation =
        (delegate* unmanaged<nint*, int, int, int>)CudaSymbols.OfTorch("cublasLtMatmulDescCreate");

    private static readonly delegate* unmanaged<nint, int> DestroyOperation =
        (delegate* unmanaged<nint, int>)CudaSymbols.OfTorch("cublasLtMatmulDescDestroy");

    private static readonly delegate* unmanaged<nint, int, void*, nuint, int> SetOperation =
        (delegate* unmanaged<nint, int, void*, nuint, int>)CudaSymbols.OfTorch("cublasLtMatmulDescSetAttribute");

    private static readonly delegate* unmanaged<nint*, int, ulong, ulong, long, int> CreateLayout =
        (delegate* unmanaged<nint*, int, ulong, ulong, long, int>)CudaSymbols.OfTorch("cublasLtMatrixLayoutCreate");

    private static readonly delegate* unmanaged<nint, int> DestroyLayout =
        (delegate* unmanaged<nint, int>)CudaSymbols.OfTorch("cublasLtMatrixLayoutDestroy");

    private static readonly delegate* unmanaged<nint*, int> CreatePreference =
        (delegate* unmanaged<nint*, int>)CudaSymbols.OfTorch("cublasLtMatmulPreferenceCreate");

    private static readonly delegate* unmanaged<nint, int> DestroyPreference =
        (delegate* unmanaged<nint, int>)CudaSymbols.OfTorch("cublasLtMatmulPreferenceDestroy");

    private static readonly delegate* unmanaged<nint, int, void*, nuint, int> SetPreference =
        (delegate* unmanaged<nint, int, void*, nuint, int>)CudaSymbols.OfTorch("cublasLtMatmulPreferenceSetAttribute");

    private static readonly delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, Choice*, int*, int> Choose =
        (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, Choice*, int*, int>)
        CudaSymbols.OfTorch("cublasLtMatmulAlgoGetHeuristic");

    private static readonly delegate* unmanaged<nint, nint, void*, nint, nint, nint, nint, void*, nint, nint, nint, nint, Choice*, nint, nuint, nint,
        int> Run = (delegate* unmanaged<nint, nint, void*, nint, nint, nint, nint, void*, nint, nint, nint, nint, Choice*, nint, nuint, nint, int>)
        CudaSymbols.OfTorch("cublasLtMatmul");

    private readonly nint _handle;
    private readonly (nint Address, long Bytes) _workspace;
    private readonly Dictionary<(int Rows, int Inputs, int Outputs, bool Gelu), Product> _products = [];

    private CublasLtProducts(nint handle, (nint, long) workspace) => (_handle, _workspace) = (handle, workspace);

    /// <summary>Bytes that the products work in.</summary>
    public static long WorkspaceBytes => 32 << 20;

    /// <summary>For the calling thread's current device.</summary>
    /// <param name="workspace">Address of <see cref="WorkspaceBytes"/> bytes on it, which stay as long as this.</param>
    /// <returns>Null where there is none.</returns>
    public static CublasLtProducts? TryCreate(nint workspace)
    {
        nint handle;
        return Create != null && Destroy != null && CreateOperation != null && DestroyOperation != null && SetOperation != null
            && CreateLayout != null && DestroyLayout != null && CreatePreference != null && DestroyPreference != null && SetPreference != null
            && Choose != null && Run != null && Create(&handle) == 0 ? new CublasLtProducts(handle, (workspace, WorkspaceBytes)) : null;
    }

    /// <summary>y = x Wᵀ + b, with 32-bit sums; with <paramref name="gelu"/> GELU of it.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="x">[rows, inputs] in bfloat16.</param>
    /// <param name="weight">[outputs, inputs], likewise.</param>
    /// <param name="bias">[outputs], likewise.</param>
    /// <param name="y">[rows, outputs], likewise.</param>
    /// <param name="size">Rows, inputs and outputs.</param>
    /// <param name="gelu">Whether to apply it, by the hyperbolic tangent.</param>
    /// <exception cref="ExternalException">The library fails.</exception>
    public void Multiply(nint stream, nint x, nint weight, nint bias, nint y, (int Rows, int Inputs, int Outputs) size, bool gelu)
    {
        var key = (size.Rows, size.Inputs, size.Outputs, gelu);
        if (!_products.TryGetValue(key, out var product))
            _products[key] = product = Make(size, bias, gelu);
        float one = 1, zero = 0;
        Check(SetOperation(product.Operation, BiasAddress, &bias, (nuint)sizeof(nint)));
        var choice = product.Choice;
        Check(Run(_handle, product.Operation, &one, weight, product.Weight, x, product.X, &zero, y, product.Y, y, product.Y, &choice,
            _workspace.Address, (nuint)_workspace.Bytes, stream));
    }

    public void Dispose()
    {
        foreach (var product in _products.Values)
            Free(product);
        _products.Clear();
        _ = Destroy(_handle);
    }

    // Matrices are column by column to the library: [rows, n] here is n x rows there.
    private Product Make((int Rows, int Inputs, int Outputs) size, nint bias, bool gelu)
    {
        var product = new Product();
        nint preference = 0;
        try
        {
            nint made;
            int transposed = 1, epilogue = gelu ? GeluBias : Bias;
            Check(CreateOperation(&made, Compute32, Float32));
            product.Operation = made;
            Check(SetOperation(made, TransposeA, &transposed, sizeof(int)));
            Check(SetOperation(made, Epilogue, &epilogue, sizeof(int)));
            Check(SetOperation(made, BiasAddress, &bias, (nuint)sizeof(nint)));
            Check(CreateLayout(&made, BFloat16, (ulong)size.Inputs, (ulong)size.Outputs, size.Inputs));
            product.Weight = made;
            Check(CreateLayout(&made, BFloat16, (ulong)size.Inputs, (ulong)size.Rows, size.Inputs));
            product.X = made;
            Check(CreateLayout(&made, BFloat16, (ulong)size.Outputs, (ulong)size.Rows, size.Outputs));
            product.Y = made;
            Check(CreatePreference(&preference));
            var bytes = (ulong)_workspace.Bytes;
            Check(SetPreference(preference, MaxWorkspace, &bytes, sizeof(ulong)));
            Choice choice;
            int count;
            Check(Choose(_handle, product.Operation, product.Weight, product.X, product.Y, product.Y, preference, 1, &choice, &count));
            if (count < 1)
                throw new ExternalException("CUDA error: cuBLASLt has no way to multiply these sizes");
            product.Choice = choice;
            return product;
        }
        catch
        {
            Free(product);
            throw;
        }
        finally
        {
            if (preference != 0)
                _ = DestroyPreference(preference);
        }
    }

    private static void Free(Product product)
    {
        if (product.Operation != 0)
            _ = DestroyOperation(product.Operation);
        foreach (var layout in (nint[])[product.Weight, product.X, product.Y])
            if (layout != 0)
                _ = DestroyLayout(layout);
    }

    private static void Check(int error)
    {
        if (error != 0)
            throw new ExternalException($"CUDA error: cuBLASLt status {error}");
    }

    /// <summary>cublasLtMatmulHeuristicResult_t, which begins with cublasLtMatmulAlgo_t.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 96)]
    private struct Choice
    {
        public ulong First;
    }

    /// <summary>How a product is asked for.</summary>
    private sealed class Product
    {
        public nint Operation, Weight, X, Y;
        public Choice Choice;
    }
}
