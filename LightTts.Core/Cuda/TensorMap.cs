using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>CUtensorMap: how a matrix lies in memory, and which boxes of it a kernel asks the tensor memory accelerator for
/// (tensor_map.cuh).</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal readonly struct TensorMap
{
    /// <summary>Of a matrix of bfloat16 numbers, whose boxes are 64 columns wide.</summary>
    /// <param name="address">Where it lies: a multiple of 16 bytes.</param>
    /// <param name="rows">Rows, one after the other.</param>
    /// <param name="columns">A multiple of 64.</param>
    /// <param name="boxRows">Rows of a box, at most 256; what is beyond the matrix is zeros.</param>
    public static TensorMap Of(nint address, long rows, int columns, int boxRows) => CudaDriver.EncodeTensorMap(address, rows, columns, boxRows);
}
