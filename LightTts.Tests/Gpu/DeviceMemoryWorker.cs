using LightTts.Cuda;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;

namespace LightTts.Tests.Gpu;

/// <summary>Processes on a device that has no memory left. What happens is told line by line.</summary>
internal static class DeviceMemoryWorker
{
    public const string Role = "device memory", Neighbour = "device neighbour";

    /// <summary>A request was spoken.</summary>
    public const string Spoken = "spoken";

    private const long Step = 96L << 20;
    private const int Attempts = 60;
    private static readonly bool Rehearsal = TestDevice.Kind == ComputeDevice.Cpu;

    public static readonly int Listeners = Rehearsal ? 4 : 24;

    /// <summary>How often memory fails while requests run: at the first piece that is asked for, at the second, and so on.</summary>
    public static readonly int Failures = Rehearsal ? 2 : 32;

    private static readonly SynthesisRequest Sentence = new() { Text = "The old lighthouse stood on a rocky cliff.", Voice = "rms", Seed = 3 };

    /// <summary>Loads with no memory, with a little more, and so on until it is enough; then speaks while there is no more, with a little more, and
    /// once there is.</summary>
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
                for (var failure = 0; failure < Failures; failure++)
                {
                    hog?.Leave(failure * DeviceHog.Piece); // what libtorch gave back when it found no more, too
                    loaded.Crowd($"service, {Free()} free", 8, turn: failure);
                }
                hog?.Leave(0);
                loaded.Crowd("with no more memory", Listeners, turn: 12);
                hog?.Dispose();
                loaded.Crowd("with memory again", Listeners, turn: 12);
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
        if (Rehearsal)
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

        /// <summary>Many at once, some of them long and whole, which is what takes the most memory; of other lengths in each turn, as memory is
        /// taken for a length once.</summary>
        public void Crowd(string when, int listeners, int turn)
        {
            var outcomes = Task.WhenAll(Enumerable.Range(0, listeners).Select(async i =>
            {
                try
                {
                    var request = Sentence with { Seed = i + turn };
                    if (i % 3 == 0)
                        request = request with { Delivery = AudioDelivery.Whole, Text = Repeated(1 + (turn + i) % 13) };
                    else if (i % 3 == 1)
                        request = request with { Text = Repeated(1 + turn % 3) };
                    return (await _pipeline.SpeakAsync(request)).Samples.Length > 0 ? Spoken : "silent";
                }
                catch (TtsException e)
                {
                    return $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ").Replace(", ", "; ", StringComparison.Ordinal)}";
                }
            })).WaitAsync(TimeSpan.FromSeconds(100)).GetAwaiter().GetResult();
            var counted = outcomes.GroupBy(outcome => outcome).Select(group => $"{group.Count()} {group.Key}");
            Console.Out.WriteLine($"{when}: {string.Join(", ", counted)}");
        }

        public void Dispose() => _pipeline.DisposeAsync().AsTask().GetAwaiter().GetResult();

        private static string Repeated(int times) => string.Concat(Enumerable.Repeat(Sentence.Text + " ", times));
    }
}
