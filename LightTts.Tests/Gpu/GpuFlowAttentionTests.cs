using LightTts.Cuda;
using LightTts.Models.CosyVoice;
using LightTts.Tests.Support;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>Attention of the flow's transformer against softmax in 32 bits: of so few blocks of frames that each has several groups of warps, and of
/// so many that it has one.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuFlowAttentionTests(ITestOutputHelper output)
{
    private const int Dim = 256, Heads = 4, PageFrames = 50;

    private static readonly FlowKernelShape Shape = new(Dim, Heads, Hidden: 512, MelBands: 80, PageFrames, BFloat16: true);

    /// <summary>Chunks over pages of other chunks, some of which are of the same pass: those are written right before, by a kernel that this one
    /// may overlap.</summary>
    /// <param name="times">How often these blocks are there.</param>
    /// <param name="each">Keys that each block of frames sees; the last of its pages is its own.</param>
    [Theory]
    [InlineData(1, 450)]
    [InlineData(1, 1)]
    [InlineData(1, 64, 50)]
    [InlineData(1, 449, 130, 1050)]
    [InlineData(1, 50, 100, 150, 200, 230)]
    [InlineData(5, 50, 100, 150, 200, 230)]
    [InlineData(10, 50, 450, 150, 1, 230)]
    [InlineData(30, 450, 1250)]
    public void Chunks(int times, params int[] each)
    {
        int[] seen = [.. Enumerable.Repeat(each, times).SelectMany(keys => keys)];
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        random.manual_seed(11);
        int rows = seen.Length, most = (seen.Max() + PageFrames - 1) / PageFrames, columns = most + 3, count = 2 * rows * PageFrames;
        var fresh = Numbers(device, 1 + (rows * most * 2 * PageFrames), 2 * Dim);
        var places = randperm((long)rows * most, device: device.Device).mul_(Scalars.Of((long)2 * PageFrames)).view(rows, most);
        var own = seen.Select(keys => (keys - 1L) / PageFrames).ToArray();
        for (var row = 1; row < rows; row++) // it sees what the row before it writes
            if (own[row] > own[row - 1])
                places[row, own[row] - 1] = places[row - 1, own[row - 1]];
        var last = places.gather(1, tensor(own, device: device.Device).view(-1, 1));
        places = cat([places, zeros_like(last), zeros_like(last), last], 1).contiguous();
        var qkv = Numbers(device, count, 3 * Dim);
        var pages = zeros_like(fresh);
        pages.copy_(fresh);
        var guidance = tensor([0L, PageFrames], device: device.Device).view(2, 1, 1);
        var written = last.view(1, -1, 1).add(guidance).add(arange(PageFrames, device: device.Device)).view(-1); // [2 rows frames]
        pages.index_fill_(0, written, Scalars.Of(float.NaN));
        var keys = places.narrow(1, 0, most).view(1, rows, most, 1).add(guidance.view(2, 1, 1, 1)).add(arange(PageFrames, device: device.Device));
        var kept = fresh.index_select(0, keys.view(-1)).view(2 * rows, most * PageFrames, 2, Heads, -1);
        var expected = Expected(qkv.view(2 * rows, PageFrames, 3, Heads, -1).select(2, 0), kept.select(2, 0), kept.select(2, 1), seen);
        Compare(device, (rows, PageFrames, columns), qkv, pages, places, seen, expected, () =>
        {
            pages.index_fill_(0, written, Scalars.Of(float.NaN));
            pages.index_copy_(0, written, fresh.index_select(0, written));
        });
    }

    /// <summary>Whole utterances, which see themselves.</summary>
    [Theory]
    [InlineData(40, 40)]
    [InlineData(150, 150, 97)]
    [InlineData(656, 650, 400, 656)]
    [InlineData(656, 650, 400, 656, 1, 200, 600)]
    public void Utterances(int frames, params int[] seen)
    {
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        random.manual_seed(12);
        var rows = seen.Length;
        var qkv = Numbers(device, 2 * rows * frames, 3 * Dim);
        var parts = qkv.view(2 * rows, frames, 3, Heads, -1);
        var expected = Expected(parts.select(2, 0), parts.select(2, 1), parts.select(2, 2), seen);
        Compare(device, (rows, frames, 0), qkv, null, null, seen, expected, () => { });
    }

    // [blocks, frames, heads, 64] -> [blocks frames, dim].
    private static Tensor Expected(Tensor queries, Tensor keys, Tensor values, int[] seen)
    {
        var mask = arange(keys.shape[1], device: keys.device).unsqueeze(0).ge(Limits(seen, keys.device).unsqueeze(1)).repeat(2, 1);
        Tensor Head(Tensor x) => x.to(ScalarType.Float32).transpose(1, 2);
        var scores = Head(queries).matmul(Head(keys).transpose(2, 3)).mul_(Scalars.Of(0.125))
            .masked_fill_(mask.view(mask.shape[0], 1, 1, -1), Scalars.Of(double.NegativeInfinity));
        return scores.softmax(-1).matmul(Head(values)).transpose(1, 2).reshape(-1, Dim);
    }

    private void Compare(TorchDevice device, (int Rows, int Frames, int Columns) blocks, Tensor qkv, Tensor? pages,
        Tensor? places, int[] seen, Tensor expected, Action before)
    {
        before();
        Assert.False(expected.isnan().any().item<bool>() || (pages is not null && pages.isnan().any().item<bool>()));
        if (!device.IsCuda)
            return; // rehearsed up to here
        foreach (var isPlain in (bool[])[false, true])
            Compare(device, isPlain, blocks, qkv, pages, places, seen, expected);
    }

    private void Compare(TorchDevice device, bool isPlain, (int Rows, int Frames, int Columns) blocks, Tensor qkv, Tensor? pages, Tensor? places,
        int[] seen, Tensor expected)
    {
        var module = OwnKernels.TryLoad(device, FlowKernels.Sources, Shape.Definitions, isPlain);
        Assert.NotNull(module);
        using var kernels = new FlowKernels(module, Shape, CudaDriver.SharedBytes(device.Device.index));
        var stream = CudaStream.CurrentHandle(device.Device.index)!.Value;
        var limits = Limits(seen, device.Device);
        var y = full_like(expected, Scalars.Of(float.NaN), ScalarType.BFloat16);
        kernels.Attention!.Launch(stream, blocks, qkv.Address(), pages?.Rows() ?? default, places?.Address() ?? 0, limits.Address(), y.Address(),
            afterKernel: true);
        var away = (y.to(ScalarType.Float32) - expected).abs().max().item<float>();
        output.WriteLine($"{(isPlain ? "plain: " : "")}{away:E1} away, of {expected.abs().max().item<float>():0.00}");
        Assert.InRange(away, 0, 0.03);
        using var again = y.clone();
        for (var time = 0; time < 5; time++)
        {
            kernels.Attention!.Launch(stream, blocks, qkv.Address(), pages?.Rows() ?? default, places?.Address() ?? 0, limits.Address(), y.Address(),
                afterKernel: true);
            Assert.Equal(0, (y - again).abs().max().to(ScalarType.Float32).item<float>()); // whatever lay in shared memory
        }
    }

    private static Tensor Numbers(TorchDevice device, params long[] sizes) => randn(sizes, ScalarType.Float32, device.Device).to(ScalarType.BFloat16);

    private static Tensor Limits(int[] seen, Device device) => tensor(seen.Select(keys => (long)keys).ToArray(), device: device);
}
