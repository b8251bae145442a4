using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using LightTts.Benchmarks.Ledger;
using LightTts.Cuda;
using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Language.Cuda;
using LightTts.Torch;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LightTts.Benchmarks.Stages;

/// <summary><c>stages</c>: the models alone, without the pipeline around them: what one pass of each costs.</summary>
internal static class StagesCommand
{
    private const int MostRows = 64;

    public static Command Create()
    {
        var device = DeviceOption.Create();
        var precision = new Option<ComputePrecision>("--precision")
        { Description = "auto, float32, bfloat16, float16 or int8.", DefaultValueFactory = _ => ComputePrecision.Float32 };
        var natives = new Option<string?>("--natives") { Description = "Folder with libtorch's libraries." };
        var model = new Option<string?>("--model") { Description = "Model directory. Default: the embedded voice." };
        var seconds = new Option<double>("--seconds") { Description = "Time of each measurement, after one warm sample; three samples at least.",
            DefaultValueFactory = _ => 2 };
        var parts = new Option<string>("--parts") { Description = "language, flow, vocoder, kernels and flow-kernels, comma-separated.",
            DefaultValueFactory = _ => "language,flow,vocoder" };
        var rows = new Option<int>("--most-rows") { Description = "Leave out what takes more rows than this.", DefaultValueFactory = _ => MostRows };
        var positions = new Option<int>("--positions") { Description = "Positions of a sequence in a step of the language model.",
            DefaultValueFactory = _ => 500 };
        var steps = new Option<int?>("--steps") { Description = "Solver steps. Default: what the model recommends." };
        var cache = new Option<int?>("--flow-cache-mb") { Description = "Memory of the flow's caches. Default: the pipeline's." };
        var json = new Option<FileInfo?>("--json") { Description = "File of one flat object to which the figures are added." };
        var prefix = new Option<string>("--prefix") { Description = "Put before every key in that file.", DefaultValueFactory = _ => "" };
        var (account, activities) = (LedgerOption.Create(), LedgerOption.CreateActivities());
        var command = new Command("stages", "The models alone: what a step of each costs, on any device, for any model directory.")
        {
            device, precision, natives, model, seconds, parts, rows, positions, steps, cache, json, prefix, account, activities,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (kind, index, several) = parsed.GetValue(device);
            if (several is not null)
            {
                Console.Error.WriteLine("stages measures one device; name one.");
                return 2;
            }
            var most = Math.Clamp(parsed.GetValue(rows), 1, MostRows);
            var options = new TtsPipelineOptions
            {
                Device = kind,
                DeviceIndex = index,
                Precision = parsed.GetValue(precision),
                MaxLanguageRows = most,
                KvCacheTokens = Math.Max(65_536, most * (parsed.GetValue(positions) + 64)),
                FlowCacheBytes = parsed.GetValue(cache) * 1_000_000L,
            };
            using var ledger = DeviceLedger.Open(parsed.GetValue(account), parsed.GetValue(natives), parsed.GetValue(activities));
            TorchRuntime.EnsureLoaded(parsed.GetValue(natives));
            var torch = TorchDevice.Open(kind, index, options.Precision);
            var directory = ModelDirectory.Open(parsed.GetValue(model) ?? TtsPipeline.DefaultModelPath);
            var loaded = CosyVoiceModel.Load(directory, torch, options, _ => { }, _ => { }, NullLogger.Instance, cancellation);
            loaded.Parts.Encoder.Dispose();
            Action synchronize = torch.IsCuda ? () => cuda.synchronize(torch.Device) : () => { };
            var report = new StagesReport(parsed.GetValue(json), parsed.GetValue(prefix)!, ledger, cancellation);
            using var language = new StageThread(loaded.Parts.Styles[0].Model, "language");
            using var decode = new StageThread(loaded.Parts.Decoder, "decode");
            await Task.WhenAll(language.RunAsync(() => Do(loaded.Parts.Styles[0].Model.WarmUp)),
                decode.RunAsync(() => Do(loaded.Parts.Decoder.WarmUp)));
            synchronize();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{directory.Name} on {torch}, {torch.Precision.ToString().ToLowerInvariant()}, "
                + $"{Environment.ProcessorCount} cores; {loaded.Parameters / 1e6:0} M parameters"));
            report.Figure("load_s", (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds, "s, process start to ready");
            if (CudaMemory.Used() is { } before)
                report.Figure("device_mb_loaded", before / 1e6, "MB of device memory taken, when loaded");
            var wanted = parsed.GetValue(parts)!.Split(',', StringSplitOptions.TrimEntries);
            var time = parsed.GetValue(seconds);
            var clock = new PassClock(synchronize, ledger, time);
            if (wanted.Contains("language"))
            {
                var measures = new LanguageMeasures((LanguageModel)loaded.Parts.Styles[0].Model, clock);
                await language.RunAsync(() => Language(report, measures, most, parsed.GetValue(positions), torch.IsCuda));
            }
            if (wanted.Contains("kernels"))
                await language.RunAsync(() => Kernels(loaded.Parts.Styles[0].Model, most, parsed.GetValue(positions), time / 8));
            if (wanted.Contains("flow-kernels"))
                await decode.RunAsync(() => FlowKernels(directory.Config.Flow, torch, most, time / 8));
            if (wanted.Contains("flow"))
            {
                var measures = new FlowMeasures((CosyVoiceDecoder)loaded.Parts.Decoder, directory.Config, parsed.GetValue(steps)
                    ?? directory.FlowSteps, clock);
                await decode.RunAsync(() => Flow(report, measures, clock, most));
            }
            if (wanted.Contains("vocoder"))
            {
                var flow = directory.Config.Flow;
                var measures = new VocoderMeasures((CosyVoiceDecoder)loaded.Parts.Decoder, torch.Device, flow.MelBands, flow.SpeakerEmbedding,
                    clock);
                await decode.RunAsync(() => Vocoder(report, measures, most));
            }
            if (CudaMemory.Used() is { } after)
                report.Figure("device_mb", after / 1e6, "MB of device memory taken, at the end");
            return report.Failures > 0 ? 1 : 0;
        });
        return command;
    }

    private static bool Do(Action action)
    {
        action();
        return true;
    }

    private static bool Language(StagesReport report, LanguageMeasures measures, int most, int positions, bool isCuda)
    {
        foreach (var rows in (int[])[1, 16, MostRows])
            if (rows <= most)
                report.Measure($"lm_step_ms_b{rows}", $"ms, a step of {rows} at {positions} positions", () => measures.Step(rows, positions));
        foreach (var rows in (int[])[1, 16, MostRows])
            if (rows <= most && measures.GoesAhead)
                report.Measure($"lm_step_ahead_ms_b{rows}", $"ms, a step of {rows} launched behind another",
                    () => measures.StepAhead(rows, positions));
        report.Measure("lm_prompt_ms_160", "ms, a prompt of 160 positions", () => measures.Prompt(1, 160));
        if (most >= 8)
            report.Measure("lm_prompt_ms_160_x8", "ms, 8 of them at once", () => measures.Prompt(8, 160));
        if (most < MostRows)
            return true;
        var bytes = default(Series);
        // Where the host is the device, its time is the step's.
        report.Measure(isCuda ? "lm_host_us_b64" : null, "us of the host, a step of 64", () =>
        {
            (var time, bytes) = measures.Host(MostRows, positions);
            return time;
        });
        report.Measure("lm_host_bytes_b64", "bytes allocated, a step of 64", () => bytes);
        return true;
    }

    /// <summary>Where a step of the language model spends the device's time.</summary>
    private static bool Kernels(ILanguageModel model, int most, int positions, double seconds)
    {
        if (model is not LanguageModel { Engine: CudaLanguageEngine engine })
        {
            Console.WriteLine($"kernels: the language model has no kernels of its own here: {(model as LanguageModel)?.KernelFault}");
            return false;
        }
        var measures = new KernelMeasures(engine, seconds);
        foreach (var rows in (int[])[1, 16, MostRows])
        {
            if (rows > most)
                continue;
            var whole = 0.0;
            foreach (var (kernel, launches, time) in measures.Step(rows, positions))
            {
                whole += launches * time.Median;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {rows,2} rows  {kernel,-14} {time.Median,8:0.00} us x {launches,2} = {launches * time.Median,8:0.0} us"));
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {rows,2} rows  together                     {whole,8:0.0} us"));
        }
        return true;
    }

    /// <summary>What the flow's own kernels take, beside the library's products of the same sizes.</summary>
    private static bool FlowKernels(FlowConfig config, TorchDevice device, int most, double seconds)
    {
        if (config.Dit is not { } transformer || !device.IsCuda || device.Precision != ComputePrecision.BFloat16)
        {
            Console.WriteLine("flow-kernels: they are those of a diffusion transformer on a CUDA device in bfloat16");
            return false;
        }
        var measures = new FlowKernelMeasures(transformer, config.MelBands, device, seconds);
        foreach (var rows in (int[])[1, 2, 4, 8, 16, 32])
            if (rows <= most)
                foreach (var (kernel, time) in measures.Of(rows, keys: 450))
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {100 * rows,4} rows  {kernel,-24} {time.Median,8:0.00} us"));
        var whole = new FlowWholeMeasures(transformer, config.MelBands, device, seconds);
        foreach (var (utterances, frames) in ((int, int)[])[(1, 672), (2, 656), (8, 656)])
            if (utterances <= most)
                foreach (var (kernel, time) in whole.Of(utterances, frames))
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"  {utterances,2} x {frames} frames  {kernel,-24} {time.Median,8:0.00} us"));
        return true;
    }

    private static bool Flow(StagesReport report, FlowMeasures measures, PassClock clock, int most)
    {
        void Measure(string key, string meaning, Func<Series> measure)
        {
            report.Measure(key, meaning, measure);
            report.Marks(clock);
        }
        foreach (var rows in (int[])[1, 8, 32])
            if (rows <= most)
                Measure(rows == 1 ? "flow_first_chunk_ms" : $"flow_first_chunk_ms_{rows}",
                    $"ms, first chunk (50 frames) behind a shared prompt of 3 s, each of {rows}", () => measures.FirstChunk(rows));
        foreach (var rows in (int[])[1, 8, 32])
            if (rows <= most)
                Measure($"flow_cached_chunk_ms_{rows}", $"ms, 50 frames over 400 that are kept, each of {rows}",
                    () => measures.CachedChunk(rows));
        foreach (var rows in (int[])[1, 8])
            if (rows <= most)
                Measure($"flow_10s_ms_{rows}", $"ms, 10 s behind a prompt of 3 s as a whole, each of {rows}", () => measures.Whole(rows, 10));
        return true;
    }

    private static bool Vocoder(StagesReport report, VocoderMeasures measures, int most)
    {
        report.Measure("vocoder_ms_50", "ms, a chunk of 50 frames", () => measures.Chunk(1, 50));
        report.Measure("vocoder_ms_500", "ms, 500 frames as a whole", () => measures.Whole(500));
        if (most >= 16)
            report.Measure("vocoder_ms_16x50", "ms, a chunk of 50 frames, each of 16", () => measures.Chunk(16, 50));
        return true;
    }
}
