using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Tests.Support;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>A process whose graphs come to nothing in all the ways that there are, on one pool. What happens is told line by line.</summary>
internal static class DeviceGraphWorker
{
    public const string Role = "device graphs";

    public static int Run()
    {
        TorchRuntime.EnsureLoaded(TestDevice.Natives);
        InitializeDeviceType(TorchSharp.DeviceType.CUDA);
        FirstGraph.Record(0);
        using var thread = new TorchThread(1, 0).Enter();
        using var scope = NewDisposeScope();
        var device = new Device(TorchSharp.DeviceType.CUDA, 0);
        var (x, y) = (ones(1_000, ScalarType.Float32, device), zeros(1_000, ScalarType.Float32, device));
        var pool = new CudaGraphPool();
        Tell("gone", () => Sum().Dispose());
        Tell("after the last one", () => Sum().Dispose());
        Tell("throws", () => Throwing());
        Tell("after one that threw", () => Sum().Dispose());
        using (Sum())
        {
            Tell("throws beside another", () => Throwing());
            Tell("beside another", () => Sum().Dispose());
        }
        Tell("waits for the device", () => CudaGraph.CaptureWarm(pool, () => x.add(y, Scalars.One).cpu().Dispose()));
        Tell("after one that waited", () => Sum().Dispose());
        using var lasting = Sum();
        y.zero_();
        lasting.Replay();
        lasting.Replay();
        Console.Out.WriteLine($"sum {y.sum().item<float>()}");
        return 0;

        CudaGraph Sum() => CudaGraph.CaptureWarm(pool, () =>
        {
            using var inner = NewDisposeScope();
            y.add_(x.mul(x), Scalars.One);
        });

        void Throwing()
        {
            var calls = 0;
            CudaGraph.CaptureWarm(pool, () =>
            {
                using var product = x.mul(x);
                if (++calls > 2)
                    throw new ExternalException("CUDA out of memory.");
            }).Dispose();
        }
    }

    private static void Tell(string what, Action action)
    {
        try
        {
            action();
            Console.Out.WriteLine($"{what}: recorded");
        }
        catch (ExternalException)
        {
            Console.Out.WriteLine($"{what}: failed");
        }
    }
}
