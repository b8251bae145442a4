using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Numbers as libtorch takes them, kept for ever.</summary>
/// <remarks>
/// TorchSharp makes a native object of every number that is handed to an operation, with a
/// finalizer that frees it, and does not keep that object alive during the native call: a
/// garbage collection at the wrong moment frees a number while libtorch reads it. What is
/// kept here is never collected. The same holds for the operators + and - of two tensors,
/// which hand over a factor of 1. BannedSymbols.txt keeps all of those out.
/// </remarks>
internal static class Scalars
{
    private static readonly ConcurrentDictionary<double, Scalar> Numbers = new();
    private static readonly ConcurrentDictionary<long, Scalar> Integers = new();

    /// <summary>A factor of 1, for tensors of any type.</summary>
    public static readonly Scalar One = Of(1L);

    /// <summary>A number out of a set that does not grow: a constant, a setting, a step of a schedule.</summary>
    public static Scalar Of(double value) => Numbers.GetOrAdd(value, static value => value.ToScalar());

    /// <inheritdoc cref="Of(double)"/>
    public static Scalar Of(long value) => Integers.GetOrAdd(value, static value => value.ToScalar());

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a += b.</summary>
    public static Tensor PlusInPlace(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>0, 1, ... up to <paramref name="stop"/>, in 32-bit floats; for numbers that no set is known of.</summary>
    public static Tensor Range(long start, long stop, Device device)
    {
        var values = new float[stop - start];
        for (var i = 0; i < values.Length; i++)
            values[i] = start + i;
        return TensorData.FromSingles(values, device, values.Length);
    }
}
