using System.Runtime.ExceptionServices;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Text;
using LightTts.Torch;

namespace LightTts.Models.CosyVoice;

/// <summary>A loaded model directory: the three stages' models.</summary>
internal sealed record CosyVoiceModel(
    ModelDirectory Directory, TorchDevice Device, QwenTokenizer Tokenizer, ISpeechEncoder Encoder, ILanguageModel Language, ISpeechDecoder Decoder,
    long Parameters)
{
    /// <summary>Loads everything, the parts side by side.</summary>
    /// <param name="directory">What to load.</param>
    /// <param name="device">Where to.</param>
    /// <param name="options">Limits and sizes.</param>
    /// <param name="loaded">Told the name of each part that is done, from any thread.</param>
    /// <exception cref="TtsModelLoadException">The directory or one of its files cannot be used.</exception>
    /// <exception cref="TtsBackendException">Natives are missing, or the device cannot be had.</exception>
    public static CosyVoiceModel Load(ModelDirectory directory, TorchDevice device, TtsPipelineOptions options, Action<string> loaded)
    {
        var config = directory.Config;
        // Before gigabytes of the parts that could be loaded are read.
        if (config.Flow.Dit is null)
            throw new TtsModelLoadException($"{directory.Files.Root}: CosyVoice2's flow is not supported yet. Use a CosyVoice3 model directory.");
        var thread = new TorchThread(options.Threads ?? Environment.ProcessorCount);
        var rows = options.MaxBatchSize ?? (device.IsCuda ? 64 : 16);
        var kvTokens = options.KvCacheTokens ?? (device.IsCuda ? 65_536 : 16_384);
        var parameters = 0L;
        // On the CPU the language model has an engine of its own that reads 32-bit weights
        // as fast as the memory gives them; half of the bits would not make it faster.
        var exact = device.IsCuda ? device : device with { Compute = TorchDevice.Cpu.Compute };

        T Open<T>(string path, string name, Func<Weights.ITensorArchive, T> load)
        {
            using var archive = ModelFiles.OpenWeights(path);
            Interlocked.Add(ref parameters, archive.Tensors.Values.Sum(tensor => tensor.ElementCount));
            var model = load(archive);
            loaded(name);
            return model;
        }

        var language = Task.Run(() => Open(directory.Files.Language, "language model",
            archive => LanguageModel.Load(archive, config.Language, exact,
            new LanguageModelOptions(kvTokens / KvBlockPool.BlockSize, rows, thread.Threads))));
        var flow = Task.Run(() => Open(directory.Files.Flow, "flow", archive =>
            FlowModel.Load(archive, config.Flow, device, new FlowOptions(options.FlowCacheBytes))));
        var vocoder = Task.Run(() => Open(directory.Files.Vocoder, "vocoder",
            archive => HiftVocoder.Load(archive, config.Vocoder, device, VocoderNoise.OfFreshModel(config.Flow, config.Vocoder),
            CosyVoiceDecoder.HeldFrames)));
        var extractor = Task.Run(() =>
        {
            var onnx = new OnnxOptions { Device = device.IsCuda ? ComputeDevice.Auto
                : ComputeDevice.Cpu, DeviceIndex = options.DeviceIndex, Threads = options.Threads };
            var loadedExtractor = TimbreExtractor.Load(directory.Files.SpeechTokenizer, directory.Files.SpeakerEncoder, config.PromptMel,
                config.TokenMelRatio, onnx);
            loaded("voice extractor");
            return loadedExtractor;
        });
        try
        {
            var tokenizer = QwenTokenizer.Load(directory.Files.Tokenizer, (int)config.Version);
            if (tokenizer.VocabularySize > config.Language.TextVocabulary)
                throw new TtsModelLoadException($"{directory.Files.Tokenizer}: the tokenizer has ids up to {tokenizer.VocabularySize - 1}, the "
                + $"model's embedding {config.Language.TextVocabulary} rows; "
                    + "the tokenizer belongs to another model. Copy the whole CosyVoice-BlankEN folder of this one.");
            loaded("tokenizer");
            Task.WaitAll(language, flow, vocoder, extractor);
            flow.Result.AllocateCaches();
            // On the CPU rows do not share operations: chunks are large enough to fill a
            // core, and a peer can then not change a bit of another's audio.
            var lanes = device.IsCuda ? null : new TorchLanes(thread.Threads);
            return new CosyVoiceModel(directory, device, tokenizer,
                new CosyVoiceEncoder(tokenizer, extractor.Result, config.Version, directory.InstructionPrefix,
                TextOptions.Of(options, directory.SentenceCase, directory.FinalPunctuation, directory.LetterNames), thread),
                language.Result, new CosyVoiceDecoder(flow.Result, vocoder.Result, config, thread, lanes, lanes?.Count ?? 16), parameters);
        }
        catch (Exception e)
        {
            // Whatever was loaded beside the part that failed goes again.
            DisposeWhenLoaded(language);
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
