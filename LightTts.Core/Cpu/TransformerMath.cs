using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>Element-wise steps of a diffusion transformer on one row. Sums are formed in an order that depends on nothing but the length.</summary>
internal static unsafe class TransformerMath
{
    private const int Width = 16;

    /// <summary>Layer norm (Ba et al. 2016): <paramref name="y"/> = (x - mean) / sqrt(variance + epsilon) * scale + shift.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LayerNorm(float* x, float* scale, float* shift, float* y, int count, float epsilon)
    {
        Vector512<float> sums = default, squares = default;
        float sum = 0, square = 0;
        var i = 0;
        for (; i <= count - Width; i += Width)
            sums += Vector512.Load(x + i);
        for (; i < count; i++)
            sum += x[i];
        var mean = (sum + Vector512.Sum(sums)) / count;
        for (i = 0; i <= count - Width; i += Width)
        {
            var centred = Vector512.Load(x + i) - Vector512.Create(mean);
            squares = Vector512.FusedMultiplyAdd(centred, centred, squares);
        }
        for (; i < count; i++)
            square += (x[i] - mean) * (x[i] - mean);
        var inverse = 1 / MathF.Sqrt((square + Vector512.Sum(squares)) / count + epsilon);
        for (i = 0; i <= count - Width; i += Width)
        {
            var normal = (Vector512.Load(x + i) - Vector512.Create(mean)) * inverse;
            Vector512.FusedMultiplyAdd(normal, Vector512.Load(scale + i), Vector512.Load(shift + i)).Store(y + i);
        }
        for (; i < count; i++)
            y[i] = MathF.FusedMultiplyAdd((x[i] - mean) * inverse, scale[i], shift[i]);
    }

    /// <summary><paramref name="h"/> += gate * branch.</summary>
    public static void AddGated(float* h, float* branch, float* gate, int count)
    {
        var i = 0;
        for (; i <= count - Width; i += Width)
            Vector512.FusedMultiplyAdd(Vector512.Load(branch + i), Vector512.Load(gate + i), Vector512.Load(h + i)).Store(h + i);
        for (; i < count; i++)
            h[i] = MathF.FusedMultiplyAdd(branch[i], gate[i], h[i]);
    }

    /// <summary>GELU in its tanh form (Hendrycks and Gimpel 2016), in place: x / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gelu(float* x, int count)
    {
        const float Outer = -2 * 0.7978845608028654f, Inner = Outer * 0.044715f;
        var i = 0;
        for (; i <= count - Width; i += Width)
        {
            var v = Vector512.Load(x + i);
            var u = Vector512.FusedMultiplyAdd(v * v, Vector512.Create(Inner), Vector512.Create(Outer)) * v;
            (v / (Vector512.Exp(u) + Vector512<float>.One)).Store(x + i);
        }
        for (; i < count; i++)
            x[i] /= 1 + MathF.Exp((Inner * x[i] * x[i] + Outer) * x[i]);
    }

    /// <summary>Mish (Misra 2019), in place: x tanh(ln(1 + exp x)), which is x n / (n + 2) with n = e (e + 2), e = exp x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mish(float* x, int count)
    {
        const float Linear = 20; // from here on tanh is 1 in 32 bits, and exp's square is still a number
        var i = 0;
        for (; i <= count - Width; i += Width)
        {
            var v = Vector512.Load(x + i);
            var e = Vector512.Exp(Vector512.Min(v, Vector512.Create(Linear)));
            var n = e * (e + Vector512.Create(2f));
            (v * (n / (n + Vector512.Create(2f)))).Store(x + i);
        }
        for (; i < count; i++)
        {
            var e = MathF.Exp(MathF.Min(x[i], Linear));
            var n = e * (e + 2);
            x[i] *= n / (n + 2);
        }
    }
}
