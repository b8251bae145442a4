using System.Numerics;

namespace LightTts.Extensions.Formats;

/// <summary>Writes one block of samples as a FLAC subframe: constant, predicted or verbatim, whichever is shortest.</summary>
internal sealed class FlacBlock(int size, int bits)
{
    private const int MaxOrder = 4;
    private const int MaxPartitionOrder = 5;
    private const int MaxRice = 14; // 15 is the escape code

    private readonly int[] _residual = new int[size];

    public void Write(ReadOnlySpan<int> samples, FlacBits output)
    {
        if (!samples.ContainsAnyExcept(samples[0]))
        {
            output.Write(0b0000_0000, 8);
            output.WriteSigned(samples[0], bits);
            return;
        }
        var order = BestOrder(samples);
        Predict(samples, order, _residual);
        var residual = _residual.AsSpan(order, samples.Length - order);
        var (partitionOrder, cost) = BestPartition(residual, samples.Length, order);
        if (8 + order * bits + 6 + cost >= (long)samples.Length * bits)
        {
            output.Write(0b0000_0010, 8); // verbatim
            foreach (var sample in samples)
                output.WriteSigned(sample, bits);
            return;
        }
        output.Write((uint)(0b0001_0000 | (order << 1)), 8);
        foreach (var sample in samples[..order])
            output.WriteSigned(sample, bits);
        WriteResidual(residual, samples.Length, order, partitionOrder, output);
    }

    private static void WriteResidual(ReadOnlySpan<int> residual, int length, int order, int partitionOrder, FlacBits output)
    {
        output.Write(0, 2); // Rice codes with 4-bit parameters
        output.Write((uint)partitionOrder, 4);
        var at = 0;
        for (var partition = 0; partition < 1 << partitionOrder; partition++)
        {
            var count = (length >> partitionOrder) - (partition == 0 ? order : 0);
            var part = residual.Slice(at, count);
            var rice = Rice(part).Parameter;
            output.Write((uint)rice, 4);
            foreach (var value in part)
                output.WriteRice(Fold(value), rice);
            at += count;
        }
    }

    private static int BestOrder(ReadOnlySpan<int> samples)
    {
        Span<long> sums = stackalloc long[MaxOrder + 1];
        for (var i = MaxOrder; i < samples.Length; i++)
        {
            long a = samples[i], b = samples[i - 1], c = samples[i - 2], d = samples[i - 3], e = samples[i - 4];
            sums[0] += Math.Abs(a);
            sums[1] += Math.Abs(a - b);
            sums[2] += Math.Abs(a - 2 * b + c);
            sums[3] += Math.Abs(a - 3 * b + 3 * c - d);
            sums[4] += Math.Abs(a - 4 * b + 6 * c - 4 * d + e);
        }
        var best = 0;
        for (var order = 1; order <= MaxOrder && samples.Length > MaxOrder; order++)
            if (sums[order] < sums[best])
                best = order;
        return best;
    }

    private static void Predict(ReadOnlySpan<int> samples, int order, Span<int> residual)
    {
        samples.CopyTo(residual);
        for (var round = 0; round < order; round++) // each order is the difference of the one before
            for (var i = samples.Length - 1; i > round; i--)
                residual[i] -= residual[i - 1];
    }

    private static (int Order, long Bits) BestPartition(ReadOnlySpan<int> residual, int length, int order)
    {
        var best = (Order: 0, Bits: long.MaxValue);
        for (var candidate = 0; candidate <= MaxPartitionOrder; candidate++)
        {
            var count = length >> candidate;
            if (count << candidate != length || count <= order)
                break;
            long cost = 0;
            for (int partition = 0, at = 0; partition < 1 << candidate; partition++)
            {
                var here = count - (partition == 0 ? order : 0);
                cost += 4 + Rice(residual.Slice(at, here)).Bits;
                at += here;
            }
            if (cost < best.Bits)
                best = (candidate, cost);
        }
        return best;
    }

    private static (int Parameter, long Bits) Rice(ReadOnlySpan<int> values)
    {
        ulong sum = 0;
        foreach (var value in values)
            sum += Fold(value);
        var mean = values.Length == 0 ? 0 : sum / (ulong)values.Length;
        var parameter = Math.Min(MaxRice, mean == 0 ? 0 : BitOperations.Log2(mean));
        long bits = 0;
        foreach (var value in values)
            bits += 1 + parameter + (long)(Fold(value) >> parameter);
        return (parameter, bits);
    }

    /// <summary>0, -1, 1, -2, ... to 0, 1, 2, 3, ...</summary>
    private static uint Fold(int value) => (uint)((value << 1) ^ (value >> 31));
}
