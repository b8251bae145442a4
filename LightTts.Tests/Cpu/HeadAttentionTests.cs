using LightTts.Cpu;

namespace LightTts.Tests.Cpu;

public unsafe class HeadAttentionTests
{
    /// <summary>Several calls with one object, whose memory grows and is then larger than needed.</summary>
    [Theory]
    [InlineData(16, 1, 1, 1)]
    [InlineData(64, 5, 37, 37)]
    [InlineData(64, 50, 150, 100)] // fewer than there are
    [InlineData(48, 64, 16, 16)]
    [InlineData(64, 50, 150, 150, 100, 2)]
    [InlineData(64, 50, 150, 150, 99, 1)]
    public void Is_softmax_of_the_products_times_the_values(int headDim, int rows, int count, int seen, int kept = 0, int bytes = 4)
    {
        var numbers = bytes == 4 ? KeptRows.Singles : bytes == 2 ? KeptRows.Halves : KeptRows.Bytes;
        var storage = new byte[2 * kept * numbers.Size(headDim)];
        var random = new Random(1);
        using var attention = new HeadAttention(headDim);
        for (var repeat = 0; repeat < 2; repeat++)
        {
            int keys = count + 40 * (1 - repeat), stride = headDim + 16;
            float[] q = Numbers(random, rows * stride), k = Numbers(random, keys * headDim), v = Numbers(random, keys * headDim);
            var y = new float[rows * stride];
            fixed (byte* room = storage)
            fixed (float* qp = q, kp = k, vp = v, yp = y)
            {
                var (keyAt, valueAt) = (new nint[keys], new nint[keys]);
                for (var i = 0; i < keys; i++)
                    (keyAt[i], valueAt[i]) = ((nint)(kp + i * headDim), (nint)(vp + i * headDim));
                for (var i = 0; i < 2 * kept; i++)
                {
                    // What is expected is computed from what is read.
                    var from = (i < kept ? kp : vp) + i % kept * headDim;
                    var place = room + i * numbers.Size(headDim);
                    numbers.Write(from, place, headDim);
                    numbers.Read(place, from, headDim);
                    (i < kept ? keyAt : valueAt)[i % kept] = (nint)place;
                }
                attention.Load(keyAt, valueAt, kept, numbers);
                attention.Attend(qp, stride, rows, seen, yp, stride);
            }
            for (var row = 0; row < rows; row++)
            {
                var scores = Enumerable.Range(0, seen).Select(i =>
                    Enumerable.Range(0, headDim).Sum(d => (double)q[row * stride + d] * k[i * headDim + d]) / Math.Sqrt(headDim)).ToArray();
                var weights = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
                for (var d = 0; d < headDim; d++)
                    Assert.Equal(weights.Select((weight, i) => weight * v[i * headDim + d]).Sum() / weights.Sum(), y[row * stride + d], 1e-5);
                Assert.All(y[(row * stride + headDim)..((row + 1) * stride)], value => Assert.Equal(0, value));
            }
        }
    }

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
}
