using LightTts.Cuda;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;

namespace LightTts.Tests.Gpu;

/// <summary>Processes on a device that has no memory left. What happens is told line by line.</summary>
internal static class DeviceMemoryWorker
{
    public const string Role = "device memory", Neighbour = "device neighbour";

    private const long Step = 96L << 20;
    private const int Attempts = 60;

    public static readonly int Listeners = TestDevice.Kind == ComputeDevice.Cpu ? 4 : 24;

    private static readonly SynthesisRequest Sentence = new() { Text = "The old lighthouse stood on a rocky cliff.", Voice = "rms", Seed = 3 };

    /// <summary>Loads with no memory, with a little more, and so on until it is enough; then speaks while there is no more, and once there
    /// is.</summary>
    public static int Run()
    {
        using var hog = Hog();
        hog?.Take(leave: 0);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                using var loaded = new Loaded();
                Console.Out.WriteLine($"loaded, {Free()} free");
                loaded.Crowd("with no more memory");
                hog?.Dispose();
                loaded.Crowd("with memory again");
                Console.Out.WriteLine(loaded.Speak() > 0 ? "spoke" : "silent");
                return 0;
            }
            catch (TtsException e)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Console.Out.WriteLine($"refused, {torch.Tensor.TotalCount} tensors: {e.Message.ReplaceLineEndings(" ")}");
            }
            catch (Exception e)
            {
                Console.Out.WriteLine($"broke: {e.ToString().ReplaceLineEndings(" ")}");
                return 1;
            }
            hog?.Give(Step);
        }
        return 1;
    }

    /// <summary>Takes nine tenths of what is free, until its input ends.</summary>
    public static int TakeMost()
    {
        using var hog = Hog();
        hog?.Take((CudaMemory.Free(0) ?? 0) / 10);
        Console.Out.WriteLine($"holding, {Free()} free");
        Console.In.ReadLine();
        return 0;
    }

    private static DeviceHog? Hog()
    {
        TorchRuntime.EnsureLoaded(TestDevice.Natives);
        if (TestDevice.Kind == ComputeDevice.Cpu)
            return null;
        torch.InitializeDeviceType(DeviceType.CUDA);
        return new DeviceHog();
    }

    private static string Free() => CudaMemory.Free(0) is { } bytes ? $"{bytes >> 20} MiB" : "unknown";

    private sealed class Loaded : IDisposable
    {
        private readonly TtsPipeline _pipeline;

        public Loaded()
        {
            var options = SharedPipeline.Options();
            options.Device = TestDevice.Kind;
            _pipeline = TtsPipeline.LoadAsync(options).GetAwaiter().GetResult();
        }

        public int Speak() => _pipeline.SpeakAsync(Sentence).GetAwaiter().GetResult().Samples.Length;

        /// <summary>Many at once, some of them long and whole, which is what takes the most memory.</summary>
        public void Crowd(string when)
        {
            var outcomes = Task.WhenAll(Enumerable.Range(0, Listeners).Select(async i =>
            {
                try
                {
                    var request = Sentence with { Seed = i };
                    if (i % 3 == 0)
                        request = request with { Delivery = AudioDelivery.Whole, Text = string.Concat(Enumerable.Repeat(Sentence.Text + " ", 12)) };
                    return (await _pipeline.SpeakAsync(request)).Samples.Length > 0 ? "spoken" : "silent";
                }
                catch (TtsException e)
                {
                    return e.GetType().Name;
                }
            })).WaitAsync(TimeSpan.FromSeconds(100)).GetAwaiter().GetResult();
            var counted = outcomes.GroupBy(outcome => outcome).Select(group => $"{group.Count()} {group.Key}");
            Console.Out.WriteLine($"{when}: {string.Join(", ", counted)}");
        }

        public void Dispose() => _pipeline.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
