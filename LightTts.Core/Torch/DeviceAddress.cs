using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Where tensors lie on their device, for own kernels.</summary>
internal static unsafe class DeviceAddress
{
    private static readonly delegate* unmanaged<nint, nint> Data = (delegate* unmanaged<nint, nint>)Find();

    /// <summary>Whether it can be told.</summary>
    public static bool IsSupported => Data != null;

    /// <summary>The address of a contiguous tensor's first element on its device; good as long as the tensor.</summary>
    public static nint Address(this Tensor tensor)
    {
        if (!tensor.is_contiguous())
            throw new ArgumentException("Its elements do not lie side by side.", nameof(tensor));
        return Data(tensor.Handle);
    }

    /// <summary>The same of a matrix, and how many rows it has.</summary>
    public static (nint Address, long Rows) Rows(this Tensor matrix) => (matrix.Address(), matrix.shape[0]);

    /// <summary>The same of a tensor whose elements need not lie side by side.</summary>
    public static nint Start(this Tensor tensor) => Data(tensor.Handle);

    private static nint Find() =>
        NativeLibrary.TryLoad(NativeLibraryFolders.FileName("LibTorchSharp"), out var library)
        && NativeLibrary.TryGetExport(library, "THSTensor_data", out var address) ? address : 0;
}
