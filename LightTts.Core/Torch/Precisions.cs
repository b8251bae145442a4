using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Chooses the arithmetic of the large products.</summary>
internal static class Precisions
{
    public const ScalarType Half = ScalarType.BFloat16;

    /// <summary>Whether the processor multiplies bfloat16 numbers in hardware (AVX512-BF16 or AMX-BF16).</summary>
    public static bool CpuHasBFloat16 { get; } = DetectBFloat16();

    /// <summary>The type for a device and a wish. On the CPU, Auto takes bfloat16 only where the processor has it.</summary>
    public static ScalarType Choose(ComputePrecision wanted, bool cuda) => wanted switch
    {
        ComputePrecision.Float32 or ComputePrecision.Float16 or ComputePrecision.Int8 => ScalarType.Float32,
        ComputePrecision.BFloat16 => Half,
        _ => cuda || CpuHasBFloat16 ? Half : ScalarType.Float32,
    };

    /// <summary>Bytes of a number.</summary>
    public static int Bytes(ScalarType type) => type switch
    {
        ScalarType.Float32 => 4,
        Half => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that products are computed in."),
    };

    private static bool DetectBFloat16()
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7 || !Avx512F.IsSupported)
            return false;
        var (_, _, _, features) = X86Base.CpuId(7, 0);
        var (more, _, _, _) = X86Base.CpuId(7, 1);
        return (features & (1 << 22)) != 0 || (more & (1 << 5)) != 0; // amx-bf16, avx512-bf16
    }
}
