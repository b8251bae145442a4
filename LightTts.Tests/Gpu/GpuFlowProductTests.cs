using LightTts.Cuda;
using LightTts.Models.CosyVoice;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>The products of the flow's transformer with what stands around them, one by one, against libtorch's operations in 64 bits.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuFlowProductTests(ITestOutputHelper output)
{
    private const int Mel = 80, Frames = 50, Head = 64, Slot = FlowProductKernels.MomentNumbers;
    private const float Epsilon = 1e-6f;

    /// <summary>Widths of the embedded voice and of full size, a few rows and many, even and not; by what all cards have, too.</summary>
    [Theory]
    [InlineData(256, 512, 1, true)]
    [InlineData(256, 512, 3, false)]
    [InlineData(1024, 2048, 1, true)]
    [InlineData(1024, 2048, 2, true)]
    [InlineData(1024, 2048, 3, true)]
    [InlineData(1024, 2048, 2, false)]
    [InlineData(1024, 2048, 4, true)]
    [InlineData(256, 512, 4, true)]
    [InlineData(1024, 2048, 5, true)]
    [InlineData(1024, 2048, 1, false)]
    [InlineData(1024, 2048, 1, true, true)]
    [InlineData(256, 512, 3, false, true)]
    public void Products(int dim, int hidden, int blocks, bool paged, bool isPlain = false)
    {
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        using var kernels = Load(device, dim, hidden, isPlain);
        Assert.NotNull(kernels.Products);
        var (products, stream) = (kernels.Products, CudaStream.CurrentHandle(device.Device.index)!.Value);
        random.manual_seed(11);
        var (frames, rows, columns) = (blocks * Frames, 2 * blocks * Frames, 3);
        Tensor Numbers(double size, params long[] shape) => randn(shape, device: device.Device).mul_(Scalars.Of(size));
        Tensor Half(double size, params long[] shape) => Numbers(size, shape).to(ScalarType.BFloat16);
        Tensor Never(params long[] shape) => full(shape, float.NaN, ScalarType.BFloat16, device.Device);
        static Tensor Wide(Tensor x) => x.to(ScalarType.Float64);
        var (h, scale) = (Numbers(1, rows, dim).add_(Scalars.Of(0.5)), Numbers(0.3, dim).add_(Scalars.Of(1.0)));
        var scaled = h.mul(scale).to(ScalarType.BFloat16);
        var slots = h.view(rows, -1, Slot);
        var moments = stack([slots.sum(2), slots.var(2, unbiased: false).mul(Scalars.Of((double)Slot))], 2).contiguous();
        var x = new FlowProductKernels.Stream(h.Address(), scaled.Address(), moments.Address());
        var mean = Wide(h).mean([1], keepdim: true);
        var deviation = Wide(h).var(1, unbiased: false, keepdim: true).add(Scalars.Of((double)Epsilon)).sqrt();
        (FlowProductKernels.Normed Own, Tensor Expected) Normed(int outputs)
        {
            var (weight, slope, offset) = (Half(1 / Math.Sqrt(dim), outputs, dim), Numbers(1, outputs), Numbers(1, outputs));
            var plain = Wide(scaled).matmul(Wide(weight).t()).sub(mean.mul(Wide(slope))).div(deviation).add(Wide(offset));
            return (new(weight.Address(), slope.Address(), offset.Address()), plain);
        }

        var (projection, expected) = Normed(3 * dim);
        var angles = Numbers(3, frames, Head / 2);
        var turns = stack([angles.cos(), angles.sin()], 2).view(frames, Head).contiguous();
        var places = full([blocks, columns], -1L << 40, ScalarType.Int64, device.Device);
        places.select(1, columns - 1).copy_(arange(blocks - 1, -1, -1, ScalarType.Int64, device.Device).mul(Scalars.Of(2L * Frames)));
        var (qkv, pages) = (Never(rows, 3 * dim), Never(blocks * 2 * Frames, 2 * dim));
        products.Project(stream, rows, x, projection, turns.Address(), places.Address(), columns, qkv.Address(), paged ? pages.Address() : 0,
            Epsilon);
        var (cos, sin) = (Wide(turns).view(1, frames, -1, 2).select(3, 0), Wide(turns).view(1, frames, -1, 2).select(3, 1));
        Tensor Turned(int part)
        {
            var all = expected.narrow(1, (long)part * dim, dim);
            var pairs = all.narrow(1, 0, Head).reshape(2, frames, -1, 2);
            var (u, v) = (pairs.select(3, 0), pairs.select(3, 1));
            var first = stack([u.mul(cos).sub(v.mul(sin)), u.mul(sin).add(v.mul(cos))], 3).reshape(rows, Head);
            return cat([first, all.narrow(1, Head, dim - Head)], 1);
        }
        Equal("queries", Turned(0), qkv.narrow(1, 0, dim), 3e-3);
        // Pages lie in the other order, a block's two guidance rows in each.
        var kept = paged ? pages.view(blocks, 2, Frames, 2 * dim).flip(0).transpose(0, 1).reshape(rows, 2 * dim) : qkv.narrow(1, dim, 2 * dim);
        Equal("keys and values", cat([Turned(1), expected.narrow(1, 2L * dim, dim)], 1), kept, 3e-3);

        var (gate, activated) = Normed(hidden);
        var up = Never(rows, hidden);
        products.Up(stream, rows, x, gate, up.Address(), Epsilon);
        var cubed = activated.add(activated.pow(Scalars.Of(3L)).mul(Scalars.Of(0.044715))).mul(Scalars.Of(Math.Sqrt(2 / Math.PI)));
        Equal("up", activated.mul(cubed.tanh().add(Scalars.Of(1.0))).mul(Scalars.Of(0.5)), up, 3e-3);

        Added("out", dim, products.AddAttended);
        Added("down", hidden, products.AddDown);

        void Added(string what, int inputs, Adding add)
        {
            var (y, weight, bias) = (Half(1, rows, inputs), Half(1 / Math.Sqrt(inputs), dim, inputs), Half(1, dim));
            var (gates, next, sum) = (Numbers(1, dim), Numbers(1, dim), h.clone());
            var (nextScaled, nextMoments) = (Never(rows, dim), full([rows, dim / Slot, 2], float.NaN, ScalarType.Float32, device.Device));
            add(stream, rows, y.Address(), new(weight.Address(), bias.Address(), gates.Address(), next.Address()),
                new(sum.Address(), nextScaled.Address(), nextMoments.Address()));
            var plain = Wide(h).add(Wide(y).matmul(Wide(weight).t()).add(Wide(bias)).mul(Wide(gates)));
            const double tolerance = 3e-6; // the tensor cores' sums of 2,048 products in 32 bits
            Equal(what, plain, sum, tolerance);
            Equal("scaled", plain.mul(Wide(next)), nextScaled, 3e-3);
            var parts = plain.view(rows, -1, Slot);
            Equal("sums", parts.sum(2), nextMoments.select(2, 0), tolerance);
            Equal("squares", parts.var(2, unbiased: false).mul(Scalars.Of((double)Slot)), nextMoments.select(2, 1), tolerance);
        }
    }

    private delegate void Adding(nint stream, int rows, nint y, in FlowProductKernels.Added product, in FlowProductKernels.Stream x);

    private static FlowKernels Load(TorchDevice device, int dim, int hidden, bool isPlain)
    {
        var shape = new FlowKernelShape(dim, dim / Head, hidden, Mel, Frames, BFloat16: true);
        var module = OwnKernels.TryLoad(device, FlowKernels.Sources, shape.Definitions, isPlain);
        Assert.SkipWhen(module is null && !device.IsCuda, "own kernels are for CUDA");
        Assert.NotNull(module);
        return new FlowKernels(module, shape, CudaDriver.SharedBytes(device.Device.index));
    }

    // The distance's norm over the expected one's.
    private void Equal(string what, Tensor expected, Tensor actual, double tolerance)
    {
        var distance = actual.to(ScalarType.Float64).sub(expected).norm().item<double>() / expected.norm().item<double>();
        output.WriteLine($"{what}: {distance:E1}");
        Assert.InRange(distance, 0, tolerance);
    }
}
