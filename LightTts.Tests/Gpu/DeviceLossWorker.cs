using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using LightTts.Cuda;
using LightTts.Tests.Faults;
using LightTts.Tests.Support;
using LightTts.Torch;

namespace LightTts.Tests.Gpu;

/// <summary>A process that loses its device, or one of two, while eight are listening: a kernel of a stage writes where there is no memory, or gives
/// up. What happens is told line by line.</summary>
internal static class DeviceLossWorker
{
    public const string Role = "device loss";

    private const string Address = "address";

    private static readonly bool Rehearsal = TestDevice.Kind == ComputeDevice.Cpu;

    /// <param name="arguments">What happens ("address", "trap"); the stage; how many cards.</param>
    public static int Run(string[] arguments)
    {
        var (kind, stage, cards) = (arguments[0], "LightTts " + arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture));
        var options = RealTarget.Options(new TtsPipelineOptions { MaxActiveRequests = 64 }, TestDevice.Kind);
        if (cards > 1)
            options.Devices = [.. Enumerable.Range(0, cards).Select(card => Rehearsal ? TtsDevice.Cpu : TtsDevice.Cuda(card))];
        List<FaultyModels> models = [];
        var pipeline = TtsPipeline.Load(options, null, parts =>
        {
            models.Add(new FaultyModels());
            return models[^1].Wrap(parts);
        }, default);
        var (lost, clock) = (0, Stopwatch.StartNew());
        var since = long.MaxValue;
        var listeners = Enumerable.Range(0, 8 * cards).Select(listener => Task.Run(async () =>
        {
            for (var turn = 0; ; turn++)
                try
                {
                    await pipeline.SpeakAsync(new SynthesisRequest
                    {
                        Text = "Hello there. How are you today?", Seed = listener, Delivery = (AudioDelivery)(listener % 2),
                    });
                    if (clock.ElapsedMilliseconds - Interlocked.Read(ref since) > 2_000)
                        return new Ending("goes on", 0);
                }
                catch (TtsException e)
                {
                    return new Ending(e.GetType().Name, clock.ElapsedMilliseconds);
                }
        })).ToArray();
        Thread.Sleep(1_000);
        models[^1].OnCall = () =>
        {
            if (Volatile.Read(ref lost) != 0 && Rehearsal)
                Lose(kind); // a device that is lost fails at everything by itself
            if (Thread.CurrentThread.Name?.StartsWith(stage, StringComparison.Ordinal) != true || Interlocked.Exchange(ref lost, 1) != 0)
                return;
            Interlocked.Exchange(ref since, clock.ElapsedMilliseconds);
            Lose(kind);
        };
        var outcomes = Task.WhenAll(listeners).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        var failed = outcomes.Where(outcome => outcome.At > 0).ToArray();
        Console.Out.WriteLine($"ended: {string.Join(", ", outcomes.GroupBy(outcome => outcome.Outcome).OrderBy(group => group.Key)
            .Select(group => $"{group.Count()} {group.Key}"))}");
        Console.Out.WriteLine($"last failure after {(failed.Length > 0 ? failed.Max(outcome => outcome.At) - since : 0)} ms");
        for (var i = 0; i < 2_000 && pipeline.Status.Stages.All(status => status.IsAlive); i++)
            Thread.Sleep(1); // those who ran on it are told just before it is known to be lost
        var alive = pipeline.Status.Stages.Select(status => $"{status.Device} {status.Stage} {status.IsAlive}");
        Console.Out.WriteLine($"alive: {string.Join(", ", alive)}");
        try
        {
            var clip = pipeline.SpeakAsync(new SynthesisRequest { Text = "Hello." }).GetAwaiter().GetResult();
            Console.Out.WriteLine($"new request: {clip.Samples.Length > 0}");
        }
        catch (TtsException e)
        {
            Console.Out.WriteLine($"new request: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
        var watch = Stopwatch.StartNew();
        pipeline.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        var disposed = watch.ElapsedMilliseconds;
        try
        {
            TtsPipeline.Load(options, null, null, default).DisposeAsync().AsTask().GetAwaiter().GetResult();
            Console.Out.WriteLine("again: loaded");
        }
        catch (TtsException e)
        {
            Console.Out.WriteLine($"again: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
        Console.Out.WriteLine($"disposed after {disposed} ms");
        return 0;
    }

    /// <param name="Outcome">An error, or that there was none.</param>
    /// <param name="At">When there was an error.</param>
    private sealed record Ending(string Outcome, long At);

    /// <summary>On the stage's thread, whose device and stream are current.</summary>
    private static void Lose(string kind)
    {
        if (Rehearsal)
            throw new ExternalException("CUDA error: an illegal memory access was encountered");
        var body = kind == Address ? "mov.u64 %rd1, 64; mov.u32 %r1, 1; st.global.u32 [%rd1], %r1; ret;" : "trap;";
        var code = $".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry lose()\n{{ .reg .b64 %rd<2>; .reg .b32 %r<2>; {body} }}\n\0";
        var module = CudaDriver.TryLoadModule(Encoding.ASCII.GetBytes(code));
        if (module == 0)
            throw new InvalidOperationException("the driver does not compile what is to go wrong");
        var stream = CudaStream.CurrentHandle(CudaStream.CurrentDevice)!.Value;
        CudaDriver.Launch(CudaDriver.Function(module, "lose"), (1, 1, 1), 1, 0, stream, overlap: false, [], []);
    }
}
