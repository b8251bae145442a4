using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>Snake on the processor's vector units: x + sin(a x)^2 / (a + 1e-9), a per channel.</summary>
/// <remarks>sin^2 has the period pi and no sign, which leaves a reduction to [-pi/2,
/// pi/2] and sine's series there; the error is below 2e-7 of 1.</remarks>
internal sealed unsafe class SimdSnake(float[] alpha)
{
    private const float InversePi = (float)(1 / Math.PI);

    // Pi in three parts: the first two times a whole number are exact with fused products.
    private const float Pi1 = 3.140625f;
    private const float Pi2 = (float)(Math.PI - 3.140625);
    private const float Pi3 = (float)(Math.PI - 3.140625 - (double)Pi2);

    private readonly float[] _alpha = alpha;
    private readonly float[] _inverse = [.. alpha.Select(a => 1 / (a + 1e-9f))];

    /// <summary>[channels, columns] -> the same; x and y may be the same memory.</summary>
    public void Run(float* x, long xStride, float* y, long yStride, int fromChannel, int toChannel, int columns)
    {
        for (var c = fromChannel; c < toChannel; c++)
        {
            var source = x + c * xStride;
            var target = y + c * yStride;
            var t = 0;
            var (a, inverse) = (_alpha[c], _inverse[c]);
            for (; t + 16 <= columns; t += 16)
            {
                var value = Vector512.Load(source + t);
                var angle = value * a;
                var n = Vector512.Round(angle * InversePi);
                var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Pi1), angle);
                r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Pi2), r);
                r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Pi3), r);
                var s = r * r;
                var p = Vector512.FusedMultiplyAdd(s, Vector512.Create(1f / 6227020800), Vector512.Create(-1f / 39916800));
                p = Vector512.FusedMultiplyAdd(p, s, Vector512.Create(1f / 362880));
                p = Vector512.FusedMultiplyAdd(p, s, Vector512.Create(-1f / 5040));
                p = Vector512.FusedMultiplyAdd(p, s, Vector512.Create(1f / 120));
                p = Vector512.FusedMultiplyAdd(p, s, Vector512.Create(-1f / 6));
                var sine = Vector512.FusedMultiplyAdd(p * s, r, r);
                Vector512.FusedMultiplyAdd(sine * sine, Vector512.Create(inverse), value).Store(target + t);
            }
            for (; t < columns; t++)
            {
                var sine = MathF.Sin(source[t] * a);
                target[t] = source[t] + sine * sine * inverse;
            }
        }
    }
}
