using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>The ways to multiply 8-bit numbers. All give the same sums, for these are whole numbers and none overflows.</summary>
internal enum Int8Path
{
    /// <summary>Any processor.</summary>
    Portable,

    /// <summary>x86 with 256-bit whole numbers: three instructions for 32 products.</summary>
    Avx2,

    /// <summary>x86 with the dot products of VNNI in 256 bits.</summary>
    AvxVnni,

    /// <summary>x86 with those in 512 bits, which .NET 10 does not offer: machine code of our own.</summary>
    Avx512Vnni,

    /// <summary>Arm with dot products.</summary>
    ArmDotProduct,
}

/// <summary>Which of them this processor has.</summary>
internal static class Int8Paths
{
    /// <summary>The fastest one here.</summary>
    public static Int8Path Best { get; } = IsSupported(Int8Path.Avx512Vnni) ? Int8Path.Avx512Vnni
        : IsSupported(Int8Path.AvxVnni) ? Int8Path.AvxVnni
        : IsSupported(Int8Path.Avx2) ? Int8Path.Avx2
        : IsSupported(Int8Path.ArmDotProduct) ? Int8Path.ArmDotProduct
        : Int8Path.Portable;

    /// <summary>Rows that a way multiplies together, at the most.</summary>
    public static int Rows(Int8Path path) => path == Int8Path.Avx512Vnni ? WideVnniKernel.Rows : VnniKernel.Rows;

    /// <summary>Likewise panels of outputs, of so many rows.</summary>
    public static int Panels(Int8Path path, int rows) =>
        path == Int8Path.Avx512Vnni && rows > WideVnniKernel.FewRows ? WideVnniKernel.Panels : 1;

    public static bool IsSupported(Int8Path path) => path switch
    {
        Int8Path.Avx2 => Avx2.IsSupported,
        Int8Path.AvxVnni => AvxVnni.IsSupported,
        Int8Path.Avx512Vnni => WideVnniKernel.IsSupported,
        Int8Path.ArmDotProduct => Dp.IsSupported,
        _ => true,
    };
}
