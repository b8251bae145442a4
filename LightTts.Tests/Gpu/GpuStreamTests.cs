using System.Collections.Concurrent;
using LightTts.Cuda;
using LightTts.Tests.Support;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>Each stage's thread has a stream of its own on the device.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuStreamTests
{
    [Fact]
    public void A_stages_thread_has_a_stream_of_its_own_and_gives_it_back()
    {
        TestDevice.Need();
        Assert.True(CudaStream.IsSupported);
        var thread = new TorchThread(1, 0);
        Assert.Equal(0, CudaStream.CurrentId(0));
        long first, second;
        using (thread.Enter(urgent: true))
        {
            first = CudaStream.CurrentId(0);
            using (thread.Enter())
                second = CudaStream.CurrentId(0);
            Assert.Equal(first, CudaStream.CurrentId(0));
        }
        Assert.Equal(0, CudaStream.CurrentId(0));
        Assert.True(first != 0 && second != 0 && first != second, $"{first}, {second}");
    }

    [Fact]
    public void A_stream_does_not_wait_for_another_ones_work()
    {
        TestDevice.Need();
        var device = new Device(TorchSharp.DeviceType.CUDA, 0);
        using var scope = NewDisposeScope();
        var large = ones([8192, 8192], ScalarType.Float32, device);
        var small = ones([16, 16], ScalarType.Float32, device);
        large.mm(large).Dispose(); // loads the kernels
        cuda.synchronize();
        using var busy = new TorchThread(1, 0).Enter();
        using var ready = new ManualResetEventSlim();
        using var launched = new ManualResetEventSlim();
        var order = new ConcurrentQueue<string>();
        var quick = new Thread(() =>
        {
            using var stream = new TorchThread(1, 0).Enter(urgent: true);
            for (var turn = 0; turn < 2; turn++) // the first time, memory and kernels are taken, for which the device may be waited for
            {
                using var sum = small.add(small);
                using var result = sum.cpu();
                if (turn == 0)
                {
                    ready.Set();
                    launched.Wait();
                }
            }
            order.Enqueue("quick");
        });
        quick.Start();
        ready.Wait();
        // Some hundred milliseconds on the fastest card.
        for (var i = 0; i < 20; i++)
            large.mm(large).Dispose();
        launched.Set();
        using var last = large[0].cpu(); // on one stream for all this would end first
        order.Enqueue("busy");
        quick.Join();
        Assert.Equal(["quick", "busy"], order);
    }
}
