using System.Diagnostics;
using System.Globalization;

namespace LightTts.Tests.Models.CosyVoice.Files;

/// <summary>Loads a model in a process of its own, whose peak memory is then the model's and no other test's.</summary>
internal static class FullSizeWorker
{
    public const string Role = "full-size";

    /// <param name="arguments">The model directory.</param>
    /// <returns>0; the output says when each part was loaded, and in its last line: parameters, bytes
    /// of memory at the peak, bytes after loading, milliseconds, kind. Or the error, and 1.</returns>
    public static int Load(string[] arguments)
    {
        try
        {
            var watch = Stopwatch.StartNew();
            var options = new TtsPipelineOptions
            {
                ModelPath = arguments[0],
                Device = ComputeDevice.Cpu,
                Precision = ComputePrecision.Float32,
                KvCacheTokens = 1024,
                Timbres = new TimbreStoreOptions { Shared = false },
            };
            var pipeline = TtsPipeline.LoadAsync(options, new Steps(watch)).GetAwaiter().GetResult();
            var milliseconds = watch.ElapsedMilliseconds;
            using var process = Process.GetCurrentProcess();
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{pipeline.Model.Parameters} {process.PeakWorkingSet64} {process.WorkingSet64} {milliseconds} {pipeline.Model.Family}"));
            Console.Out.Flush();
            pipeline.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return 0;
        }
        catch (TtsException e)
        {
            Console.Out.WriteLine(e.ToString());
            return 1;
        }
    }

    private sealed class Steps(Stopwatch watch) : IProgress<TtsLoadProgress>
    {
        public void Report(TtsLoadProgress value)
        {
            lock (watch)
                Console.Out.WriteLine($"{value.Step} after {watch.ElapsedMilliseconds} ms");
        }
    }
}
