namespace LightTts.Weights;

/// <summary>The number format of a stored tensor.</summary>
internal enum ElementType
{
    Float32,
    Float16,
    BFloat16,

    /// <summary>8 bits: sign, 4 of exponent, 3 of mantissa; no infinities (OCP's E4M3FN).</summary>
    Float8E4M3,

    /// <summary>8 bits: sign, 5 of exponent, 2 of mantissa; half of a Float16 (OCP's E5M2).</summary>
    Float8E5M2,
    Float64,
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
    Bool,
}
