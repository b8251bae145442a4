using LightTts.Cuda;
using LightTts.Models.CosyVoice;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>The positional convolutions of the flow's transformer against libtorch's in 32 bits, of few frames and of many.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuFlowConvolutionTests(ITestOutputHelper output)
{
    private const int Dim = 1024, Group = Dim / FlowEndKernels.Groups, PageFrames = 50, Tail = FlowEndKernels.Tail;
    private const int Slot = FlowProductKernels.MomentNumbers;

    private static readonly FlowKernelShape Shape = new(Dim, Heads: 16, Hidden: 2048, MelBands: 80, PageFrames, BFloat16: true);

    /// <summary>Blocks of frames in pages, behind the frames of others, or one after the other, behind zeros.</summary>
    [Theory]
    [InlineData(1, 50, true)]
    [InlineData(3, 50, true)]
    [InlineData(4, 50, true)]
    [InlineData(9, 50, true)]
    [InlineData(17, 50, true)]
    [InlineData(1, 40, false)]
    [InlineData(2, 150, false)]
    [InlineData(3, 656, false)]
    public void Blocks(int rows, int frames, bool isPaged)
    {
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        random.manual_seed(13);
        Tensor Single(params long[] sizes) => randn(sizes, ScalarType.Float32, device.Device);
        var (weight, bias, scale) = ((Single(Dim, FlowEndKernels.Taps, Group) * 0.03).to(ScalarType.BFloat16), Single(Dim), Single(Dim));
        weight.narrow(1, FlowEndKernels.Taps - 1, 1).zero_();
        int stride = isPaged ? 2 * Dim : Dim, columns = isPaged ? 5 : 0;
        // Seen: [guidance, rows, tail + frames, dim].
        var seen = Single(2, rows, Tail + frames, Dim).to(ScalarType.BFloat16);
        var places = (arange(2L * rows, device: device.Device) * (2 * PageFrames)).view(rows, 2); // before, own
        Tensor values, all;
        if (isPaged)
        {
            values = full([rows, 2, 2, PageFrames, 2, Dim], double.NaN, ScalarType.BFloat16, device.Device); // row, page, guidance
            values.select(4, 0).select(1, 0).narrow(2, PageFrames - Tail, Tail).copy_(seen.narrow(2, 0, Tail).transpose(0, 1));
            values.select(4, 0).select(1, 1).copy_(seen.narrow(2, Tail, frames).transpose(0, 1));
            all = cat([zeros([rows, columns - 2], ScalarType.Int64, device.Device), places], 1).contiguous();
        }
        else
        {
            seen.narrow(2, 0, Tail).zero_();
            values = seen.narrow(2, Tail, frames).contiguous();
            all = places;
        }
        var input = seen.view(2 * rows, Tail + frames, Dim).transpose(1, 2).to(ScalarType.Float32);
        var kernel = weight.narrow(1, 0, Tail + 1).transpose(1, 2).to(ScalarType.Float32);
        var expected = nn.functional.mish(nn.functional.conv1d(input, kernel, bias, groups: FlowEndKernels.Groups)).transpose(1, 2).reshape(-1, Dim);
        Assert.Equal([2L * rows * frames, Dim], expected.shape);
        if (!device.IsCuda)
            return; // rehearsed up to here

        var module = OwnKernels.TryLoad(device, FlowKernels.Sources, Shape.Definitions);
        Assert.NotNull(module);
        using var kernels = new FlowKernels(module, Shape, CudaDriver.SharedBytes(device.Device.index));
        var ends = kernels.Ends!;
        var stream = CudaStream.CurrentHandle(device.Device.index)!.Value;
        var blocks = new FlowEndKernels.Blocks(rows, frames, stride, isPaged ? all.Address() : 0, columns);
        var next = isPaged ? values.clone() : full_like(values, Scalars.Of(float.NaN));
        var to = isPaged ? next.Address() + (Dim * sizeof(ushort)) : next.Address();
        ends.Convolve(stream, blocks, isPaged ? next.Address() : values.Address(), weight.Address(), bias.Address(), to);
        var first = isPaged ? next.select(4, 1).select(1, 1).transpose(0, 1).reshape(-1, Dim) : next.view(-1, Dim);
        var h = Single(2 * rows * frames, Dim);
        var sum = h + expected;
        var (scaled, moments) = (full_like(h, Scalars.Of(float.NaN), ScalarType.BFloat16), full([h.shape[0], Dim / Slot, 2], double.NaN,
            ScalarType.Float32, device.Device));
        ends.ConvolveAdd(stream, blocks, values.Address(), weight.Address(), bias.Address(), new(h.Address(), scaled.Address(), moments.Address()),
            scale.Address());
        var slots = h.view(-1, Dim / Slot, Slot);
        var spread = (slots - slots.mean([2], keepdim: true)).pow(2).sum(2);
        float[] away = [Away(expected, first), Away(sum, h), Away(h * scale, scaled), Away(slots.sum(2), moments.select(2, 0)),
            Away(spread, moments.select(2, 1))];
        output.WriteLine($"{string.Join(", ", away.Select(each => $"{each:E1}"))}");
        Assert.All(away.Zip((float[])[0.04f, 0.01f, 0.15f, 0.01f, 0.01f]), each => Assert.InRange(each.First, 0, each.Second));
    }

    private static float Away(Tensor expected, Tensor actual) => (expected - actual.to(ScalarType.Float32)).abs().max().item<float>();
}
