namespace LightTts.Weights;

/// <summary>The number format of a stored tensor.</summary>
internal enum ElementType
{
    Float32,
    Float16,
    BFloat16,
    Float64,
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
    Bool,
}
