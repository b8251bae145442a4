using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>Element-wise steps of a transformer on one row. Sums are formed in an order that depends on nothing but the length.</summary>
internal static unsafe class VectorMath
{
    /// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019): <paramref name="y"/> = x / rms(x) * weight.</summary>
    public static void RmsNorm(float* x, float* weight, float* y, int count, float epsilon)
    {
        var squares = Vector256<float>.Zero;
        var i = 0;
        for (; i <= count - 8; i += 8)
        {
            var v = Vector256.Load(x + i);
            squares = Vector256.FusedMultiplyAdd(v, v, squares);
        }

        var sum = Vector256.Sum(squares);
        for (; i < count; i++)
            sum += x[i] * x[i];
        var scale = 1 / MathF.Sqrt(sum / count + epsilon);
        for (i = 0; i <= count - 8; i += 8)
            (Vector256.Load(x + i) * scale * Vector256.Load(weight + i)).Store(y + i);
        for (; i < count; i++)
            y[i] = x[i] * scale * weight[i];
    }

    /// <summary>SwiGLU: <paramref name="y"/> = silu(gate) * up.</summary>
    public static void SwiGlu(float* gate, float* up, float* y, int count)
    {
        var target = new Span<float>(y, count);
        TensorPrimitives.Sigmoid(new ReadOnlySpan<float>(gate, count), target);
        TensorPrimitives.Multiply(target, new ReadOnlySpan<float>(gate, count), target);
        TensorPrimitives.Multiply(target, new ReadOnlySpan<float>(up, count), target);
    }

    /// <summary>Turns pairs of neighbours by angles given as cosine and sine, in place.</summary>
    public static void Rotate(float* pairs, float* turns, int count)
    {
        for (var i = 0; i < count; i += 2)
        {
            float a = pairs[i], b = pairs[i + 1], cos = turns[i], sin = turns[i + 1];
            pairs[i] = a * cos - b * sin;
            pairs[i + 1] = a * sin + b * cos;
        }
    }

    /// <summary>exp(x - max) in place.</summary>
    /// <returns>The sum.</returns>
    public static float ExpAndSum(float* x, int count)
    {
        var values = new Span<float>(x, count);
        TensorPrimitives.Subtract(values, TensorPrimitives.Max<float>(values), values);
        TensorPrimitives.Exp(values, values);
        var sums = Vector256<float>.Zero;
        var i = 0;
        for (; i <= count - 8; i += 8)
            sums += Vector256.Load(x + i);
        var sum = Vector256.Sum(sums);
        for (; i < count; i++)
            sum += x[i];
        return sum;
    }
}
