using System.Runtime.ExceptionServices;
using LightTts.Diagnostics;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Text;
using LightTts.Torch;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice;

/// <summary>A loaded model directory: the three stages' models.</summary>
/// <param name="Directory">Where it came from.</param>
/// <param name="Device">Where it runs.</param>
/// <param name="Tokenizer">Of the texts.</param>
/// <param name="Parts">The stages' models.</param>
/// <param name="LoadStyle">Loads a further language model over the same decoder, from its weights.</param>
/// <param name="Parameters">Numbers in the default language model, the flow and the vocoder.</param>
internal sealed record CosyVoiceModel(
    ModelDirectory Directory, TorchDevice Device, QwenTokenizer Tokenizer, ModelParts Parts,
    Func<string, CancellationToken, ILanguageModel> LoadStyle,
    long Parameters)
{
    /// <summary>Why the language model has no kernels of its own on a CUDA device; null where it has, or runs elsewhere.</summary>
    public string? KernelFault { get; private init; }

    /// <summary>Loads everything, the parts side by side.</summary>
    /// <param name="directory">What to load.</param>
    /// <param name="device">Where to.</param>
    /// <param name="options">Limits and sizes.</param>
    /// <param name="loaded">Told the name of each part that is done, from any thread.</param>
    /// <param name="building">Told what takes longer than others, from any thread.</param>
    /// <param name="log">Told what is done otherwise than was asked for.</param>
    /// <param name="cancellationToken">Gives up between files, and while an engine is built.</param>
    /// <exception cref="TtsModelLoadException">The directory or one of its files cannot be used.</exception>
    /// <exception cref="TtsBackendException">Natives are missing, or the device cannot be had.</exception>
    public static CosyVoiceModel Load(ModelDirectory directory, TorchDevice device, TtsPipelineOptions options, Action<string> loaded,
        Action<string> building, ILogger log, CancellationToken cancellationToken)
    {
        var config = directory.Config;
        var thread = new TorchThread(options.Threads ?? Environment.ProcessorCount, device.IsCuda ? device.Device.index : null);
        var rows = options.MaxLanguageRows ?? (device.IsCuda ? 64 : 16);
        var limits = device.IsCuda ? new LanguageLimits(rows, 2048, Yields: true)
            : new LanguageLimits(rows, 128, Newcomers: 3, YieldsToFirstAudio: true);
        var kvTokens = options.KvCacheTokens ?? (device.IsCuda ? 65_536 : 16_384);
        var languageOptions = new LanguageModelOptions(kvTokens / KvBlockPool.BlockSize, limits, thread);
        var budget = new StyleBudget(options.StyleBytes);
        var parameters = 0L;

        // A part whose file holds 8-bit numbers is meant for them, where nobody says otherwise.
        TorchDevice For(Weights.ITensorArchive archive, ComputePrecision? own) =>
            !device.IsCuda && (own ?? options.Precision) == ComputePrecision.Auto
            && archive.Tensors.Values.Any(tensor => tensor.Type == Weights.ElementType.Int8) ? device.With(ComputePrecision.Int8) : device.With(own);

        // On the CPU the language model has an engine of its own that reads 32-bit weights
        // as fast as the memory gives them; half of the bits would not make it faster.
        TorchDevice Exact(Weights.ITensorArchive archive) => For(archive, options.LanguagePrecision) is var wanted && device.IsCuda ? wanted
            : wanted with { Compute = TorchDevice.Cpu.Compute };

        var onnx = OnnxSettings.Shared(options, building, log, cancellationToken);
        var ort = options.OnnxRuntime;
        var estimators = new OrtEstimators(directory.Files.Root, config.Flow, options.Decoder,
            onnx with { TensorRt = onnx.TensorRt with { HalfPrecision = ort.HalfPrecision ?? config.Generation.DecodesInHalfPrecision } },
            new OrtFrames(ort.MinFrames, ort.OptimalFrames, ort.MaxFrames));

        T Open<T>(string path, string name, Func<Weights.ITensorArchive, T> load, bool counts = true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var archive = ModelFiles.OpenWeights(path);
            if (counts)
                Interlocked.Add(ref parameters, archive.Tensors.Values.Sum(tensor => tensor.ElementCount));
            var model = OwnKernels.Telling(reason => LogMessages.NoOwnKernels(log, name, reason), () => load(archive));
            loaded(name);
            return model;
        }

        ILanguageModel LoadStyle(string path, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            using var archive = ModelFiles.OpenWeights(ModelFiles.LanguageWeights(path));
            return LoadFurther(archive, path);
        }

        // Its room is taken before its weights are read, and given back with it.
        LanguageModel LoadFurther(Weights.ITensorArchive archive, string path)
        {
            var exact = Exact(archive);
            var size = exact.Compute == ScalarType.Float32 ? 4 : 2;
            var cache = 2L * kvTokens * config.Language.Layers * config.Language.KvHeads * config.Language.HeadDim;
            var room = budget.Take(path, size * (cache + archive.Tensors.Values.Sum(tensor => tensor.ElementCount)));
            try
            {
                return LanguageModel.Load(archive, config.Language, exact, languageOptions with { Room = room });
            }
            catch
            {
                room.Dispose();
                throw;
            }
        }

        var styles = directory.Files.Styles.Select((style, i) => Task.Run(() => Open(style.Path, i == 0 ? "language model" : $"style {style.Name}",
            archive => new StyleModel(style.Name, i == 0 ? LanguageModel.Load(archive, config.Language, Exact(archive), languageOptions)
                : LoadFurther(archive, style.Path)), counts: i == 0))).ToArray();
        var flow = Task.Run(() => Open(directory.Files.Flow, "flow", archive =>
            FlowModel.Load(archive, config.Flow, config.Generation.FlowParts, For(archive, options.FlowPrecision),
                new FlowOptions(options.FlowCacheBytes, Over: estimators.Over))));
        var vocoder = Task.Run(() => Open(directory.Files.Vocoder, "vocoder",
            archive => config.Generation.LoadVocoder(archive, config, device)));
        var extractor = Task.Run(() =>
        {
            var loadedExtractor = TimbreExtractor.Load(directory.Files.SpeechTokenizer, directory.Files.SpeakerEncoder, config.PromptMel,
                config.TokenMelRatio, onnx);
            loaded("voice extractor");
            return loadedExtractor;
        });
        try
        {
            var tokenizer = QwenTokenizer.Load(directory.Files.Tokenizer, config.Generation.AddedTokens);
            if (tokenizer.VocabularySize > config.Language.TextVocabulary)
                throw new TtsModelLoadException($"{directory.Files.Tokenizer}: the tokenizer has ids up to {tokenizer.VocabularySize - 1}, the "
                + $"model's embedding {config.Language.TextVocabulary} rows; "
                    + "the tokenizer belongs to another model. Copy the whole CosyVoice-BlankEN folder of this one.");
            loaded("tokenizer");
            Task.WaitAll([.. styles, flow, vocoder, extractor], CancellationToken.None);
            flow.Result.AllocateCaches();
            if (device.IsCuda)
                cuda.synchronize(device.Device); // the stages work on streams of their own, which do not wait for the one that loaded
            // On the CPU rows do not share operations: chunks are large enough to fill a
            // core, and a peer can then not change a bit of another's audio.
            var lanes = device.IsCuda ? null : new TorchLanes(thread.Threads);
            var encoder = new CosyVoiceEncoder(tokenizer, extractor.Result, directory.InstructionPrefix, config.Flow.VocabularySize,
                TextOptions.Of(options, directory.SentenceCase, directory.FinalPunctuation, directory.LetterNames)
                    with { Tags = SpecialTokens.Tags(config.Generation.AddedTokens) }, thread);
            var decoder = new CosyVoiceDecoder(flow.Result, vocoder.Result, config, thread, lanes, lanes?.Count ?? 32);
            return new CosyVoiceModel(directory, device, tokenizer, new ModelParts(encoder, [.. styles.Select(style => style.Result)], decoder),
                LoadStyle, parameters) { KernelFault = (styles[0].Result.Model as LanguageModel)?.KernelFault };
        }
        catch (Exception e)
        {
            // Whatever was loaded beside the part that failed goes again.
            foreach (var style in styles)
                _ = style.ContinueWith(static loaded => loaded.Result.Model.Dispose(), CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            DisposeWhenLoaded(flow);
            DisposeWhenLoaded(vocoder);
            DisposeWhenLoaded(extractor);
            if (e is AggregateException { InnerExceptions: [var first, ..] })
                ExceptionDispatchInfo.Throw(first);
            throw;
        }
    }

    private static void DisposeWhenLoaded<T>(Task<T> part) where T : IDisposable =>
        part.ContinueWith(static loaded => loaded.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion,
        TaskScheduler.Default);
}
