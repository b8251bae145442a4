using LightTts.Cpu;

namespace LightTts.Tests.Cpu;

public unsafe class KeptRowsTests
{
    public static TheoryData<int, double> Ways => new() { { 4, 0 }, { 2, 1 / 256.0 }, { 1, 1 / 254.0 } };

    /// <summary>Lengths that fill no register are kept by other instructions: the numbers are the same.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void A_row_comes_back_as_near_as_its_numbers_allow(int bytes, double step)
    {
        var rows = bytes == 4 ? KeptRows.Singles : bytes == 2 ? KeptRows.Halves : KeptRows.Bytes;
        var random = new Random(bytes);
        foreach (var count in (int[])[1, 7, 16, 31, 64])
        {
            var values = Enumerable.Range(0, count).Select(_ => 8 * random.NextSingle() - 4).ToArray();
            var largest = values.Max(Math.Abs);
            var back = Through(rows, values);
            for (var i = 0; i < count; i++)
                Assert.Equal(values[i], back[i], (bytes == 2 ? Math.Abs(values[i]) : largest) * step * 1.0001 + 1e-12);
            float[] longer = [.. values, .. new float[16 - count % 16]];
            Assert.Equal(back, Through(rows, longer)[..count]);
        }
    }

    [Fact]
    public void Nothing_but_zeros_stays_so()
    {
        foreach (var rows in (KeptRows[])[KeptRows.Singles, KeptRows.Halves, KeptRows.Bytes])
            Assert.All(Through(rows, new float[20]), value => Assert.Equal(0, value));
    }

    private static float[] Through(KeptRows rows, float[] values)
    {
        var back = new float[values.Length];
        var room = new byte[rows.Size(values.Length)];
        fixed (float* from = values, to = back)
        fixed (byte* place = room)
        {
            rows.Write(from, place, values.Length);
            rows.Read(place, to, values.Length);
        }
        return back;
    }
}
