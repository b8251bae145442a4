using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>Pages of the flow's memory: taken all or none, held by several, the same numbers on either side.</summary>
public sealed class FlowPagePoolTests
{
    private const int Frames = 4;
    private static readonly DiTConfig Config = new(16, 3, 2, 8, 2);

    private static readonly FlowPageShape Shape = new(Config.Depth, Config.Heads, Config.HeadDim);

    [Fact]
    public void Pages_are_taken_all_or_none_and_memory_comes_with_the_first()
    {
        using var pool = Pool(pages: 5, slabPages: 2);
        Assert.Equal((5, 0, 0L), (pool.Capacity, pool.InUse, pool.Bytes));
        var some = new int[3];
        Assert.True(pool.TryTake(some));
        Assert.Equal(3, some.Distinct().Count());
        Assert.Equal((3, 4 * pool.PageBytes), (pool.InUse, pool.Bytes));
        Assert.False(pool.TryTake(new int[3]));
        Assert.Equal((3, 2), (pool.InUse, pool.Available));
        Assert.True(pool.TryTake(new int[2]));
        Assert.Equal((0, 5 * pool.PageBytes), (pool.Available, pool.Bytes));
        pool.Release(some);
        Assert.Equal((3, 5 * pool.PageBytes), (pool.Available, pool.Bytes));
    }

    [Fact]
    public void A_page_is_free_when_its_last_holder_lets_go()
    {
        using var pool = Pool(pages: 2);
        var pages = new int[2];
        Assert.True(pool.TryTake(pages));
        pool.Hold(pages);
        pool.Release(pages);
        Assert.Equal(0, pool.Available);
        pool.Release(pages);
        Assert.Equal(2, pool.Available);
    }

    [Fact]
    public void Utterances_that_begin_alike_share_pages_and_do_not_write_to_them()
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var pool = Pool(pages: 2 * (3 + 1 + 2));
        using var pages = new HostFlowPages(pool, Shape, Frames, ScalarType.Float32);
        using var scratch = new FlowScratch();
        var parts = new[] { Random(3 * Frames), Random(Frames), Random(2 * Frames) };
        var first = new FlowCache(2, 2, pages);
        Assert.True(first.TryReserve(3 * Frames, null));
        Append(first, 0, parts[0], scratch);
        using var one = new FlowCache(2, 2, pages);
        using var other = new FlowCache(2, 2, pages);
        Assert.True(one.TryReserve(4 * Frames, first));
        Assert.True(other.TryReserve(5 * Frames, first));
        Assert.Equal((2, 4), (one.OwnPages, other.OwnPages));
        Assert.Equal((0, 4 * pool.PageBytes), (pool.Available, other.Bytes));
        first.Dispose();
        Assert.Equal(0, pool.Available);
        Append(other, 3 * Frames, parts[2], scratch);
        Append(one, 3 * Frames, parts[1], scratch);
        Assert.Equal(Bits(cat([parts[0], parts[1], parts[0]], 2)), Bits(Append(one, 4 * Frames, parts[0], scratch, last: true)));
        Assert.Equal(Bits(cat([parts[0], parts[2], parts[0]], 2)), Bits(Append(other, 5 * Frames, parts[0], scratch, last: true)));
        Assert.False(one.TryReserve(5 * Frames, null));
        Assert.Equal(2, one.OwnPages);
        other.Dispose();
        Assert.True(one.TryReserve(5 * Frames, null));
        one.Dispose();
        Assert.Equal(0, pool.InUse);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_devices_way_gives_the_same_bits_as_the_processors(ScalarType type)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var sides = new[] { false, true }.Select(device =>
        {
            var pool = new FlowPagePool(1 << 20, Shape.Elements(Frames), type, CPU, long.MaxValue);
            Assert.True(pool.TryTake(new int[3])); // so that pages do not begin at 0
            return device ? new DeviceFlowPages(pool, Shape, Frames) : (FlowPages)new HostFlowPages(pool, Shape, Frames, type);
        }).ToArray();
        var parts = new[] { 2 * Frames, 3 * Frames, Frames + 1 }.Select(count => Random(count).to(type)).ToArray();
        var caches = sides.Select(side => new FlowCache(2, 2, side)).ToArray();
        using var scratch = new FlowScratch();
        foreach (var cache in caches)
        {
            Assert.True(cache.TryReserve(5 * Frames, null));
            Append(cache, 0, parts[0], scratch);
            Append(cache, 2 * Frames, parts[1], scratch);
            Assert.Equal(Bits(cat(parts, 2)), Bits(Append(cache, 5 * Frames, parts[2], scratch, last: true)));
            cache.Dispose();
        }
        foreach (var side in sides)
            side.Dispose();
    }

    /// <summary>Appends to every layer and step, each with numbers of its own; gives back the last step's last layer's keys without what makes
    /// them different.</summary>
    private static Tensor Append(FlowCache cache, int at, Tensor part, FlowScratch scratch, bool last = false)
    {
        for (var step = 0; ; step++)
            for (var layer = 0; layer < Config.Depth; layer++)
            {
                var mark = step * Config.Depth + layer;
                var (keys, values) = cache.Append(step, layer, at, part.roll(mark, 1), part.roll(mark + 1, 1).neg(), last, scratch);
                Assert.Equal(Bits(keys.roll(1, 1).neg()), Bits(values));
                if (step == 1 && layer == Config.Depth - 1)
                    return keys.roll(-mark, 1);
            }
    }

    private static FlowPagePool Pool(int pages, int slabPages = 100)
    {
        var elements = Shape.Elements(Frames);
        return new FlowPagePool(pages * elements * 4 + 3, elements, ScalarType.Float32, CPU, slabPages * elements * 4);
    }

    /// <summary>[2, Heads, frames, HeadDim], not contiguous, as the estimator's.</summary>
    private static Tensor Random(int frames) => randn(2, frames, Config.Heads, Config.HeadDim).transpose(1, 2);

    private static byte[] Bits(Tensor tensor) => tensor.contiguous().bytes.ToArray();
}
