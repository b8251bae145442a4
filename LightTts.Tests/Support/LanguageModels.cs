using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Language.Cpu;
using LightTts.Models.CosyVoice.Language.Cuda;
using LightTts.Models.CosyVoice.Language.Torch;
using LightTts.Pipeline;
using LightTts.Torch;
using LightTts.Weights;

namespace LightTts.Tests.Support;

/// <summary>Language models of the fixtures and of the embedded voice.</summary>
internal static class LanguageModels
{
    /// <summary>A CosyVoice3 model too small to say anything.</summary>
    public static LanguageModelConfig Config { get; } = new()
    {
        Rows = CosyVoiceGeneration.V3.LanguageRows,
        HiddenSize = 32,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        IntermediateSize = 80,
        RmsNormEps = 1e-6,
        RopeTheta = 1e6,
        TextVocabulary = 151936,
        SpeechTokens = 512,
        MixText = 5,
        MixSpeech = 15,
        TopP = 0.8,
        TopK = 25,
        RepetitionWindow = 10,
        RepetitionThreshold = 0.1,
    };

    /// <summary>The same as a CosyVoice2 model.</summary>
    public static LanguageModelConfig Config2 { get; } =
        Config with { Rows = CosyVoiceGeneration.V2.LanguageRows, SpeechTokens = 400, TextVocabulary = 548 };

    /// <summary>The embedded voice's model.</summary>
    public static LanguageModelConfig TinyEn { get; } = Config with
    {
        HiddenSize = 384,
        Layers = 6,
        Heads = 6,
        IntermediateSize = 704,
        RopeTheta = 10000,
        TextVocabulary = 1824,
        SpeechTokens = 6561,
        RepetitionThreshold = 0.8,
    };

    public static SpeechVocabulary Vocabulary(CosyVoiceGeneration generation, int size) =>
        LanguageVocabulary.For(Config with { Rows = generation.LanguageRows, SpeechTokens = size });

    /// <summary>A fixture's model: "cv3", "cv2", or "en" for the embedded voice's.</summary>
    /// <param name="name">Which.</param>
    /// <param name="torch">In libtorch operations, not the CPU's own engine.</param>
    /// <param name="options">Its sizes.</param>
    /// <param name="device">Where it runs; the CPU by default.</param>
    /// <param name="damagedText">A text token whose embedding is to be NaN; -1 for none.</param>
    /// <param name="matrix">Makes the CPU's own engine's layers; null: as the device's arithmetic wants them.</param>
    public static LanguageModel Load(string name, bool torch, LanguageModelOptions? options = null, TorchDevice? device = null, int damagedText = -1,
        Func<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor?, Linear>? matrix = null)
    {
        var config = name switch { "cv3" => Config, "cv2" => Config2, _ => TinyEn };
        var folder = name == "en" ? Repo.TinyEn : Repo.Golden($"main/models/cosyvoice{name[2]}-tiny");
        var sizes = options ?? new LanguageModelOptions(128, new LanguageLimits(16, 128));
        device ??= TorchDevice.Cpu;
        using var archive = PyTorchCheckpoint.Open(Path.Combine(folder, "llm.pt"));
        var weights = Damaged(LanguageWeights.Load(archive, config, device, torch ? null : matrix ?? CpuLanguageEngine.Matrix(device),
            torch ? null : CpuLanguageEngine.Head), damagedText);

        ILanguageEngine engine = torch
            ? new TorchLanguageEngine(config, weights, device, sizes.KvBlocks)
            : new CpuLanguageEngine(config, weights, sizes.KvBlocks);
        return new LanguageModel(config, engine, sizes);
    }

    /// <summary>A model in own kernels on a CUDA device.</summary>
    /// <param name="folder">Of the model directory.</param>
    /// <param name="config">Its sizes.</param>
    /// <param name="device">The device.</param>
    /// <param name="options">How much it takes on.</param>
    /// <param name="damagedText">A text token whose embedding is to be NaN; -1 for none.</param>
    public static LanguageModel LoadCuda(string folder, LanguageModelConfig config, TorchDevice device, LanguageModelOptions options,
        int damagedText = -1)
    {
        using var archive = PyTorchCheckpoint.Open(Path.Combine(folder, "llm.pt"));
        var engine = CudaLanguageEngine.TryCreate(config, device, options.KvBlocks,
            () => Damaged(LanguageWeights.Load(archive, config, device with { Device = TorchSharp.torch.CPU }), damagedText), out var fault);
        Assert.True(engine is not null, fault);
        return new LanguageModel(config, engine, options);
    }

    /// <summary>The same model in libtorch's operations.</summary>
    public static LanguageModel LoadTorch(string folder, LanguageModelConfig config, TorchDevice device, LanguageModelOptions options)
    {
        using var archive = PyTorchCheckpoint.Open(Path.Combine(folder, "llm.pt"));
        var engine = new TorchLanguageEngine(config, LanguageWeights.Load(archive, config, device), device, options.KvBlocks);
        return new LanguageModel(config, engine, options);
    }

    private static LanguageWeights Damaged(LanguageWeights weights, int text)
    {
        if (text < 0)
            return weights;
        using var inference = TorchSharp.torch.inference_mode(true);
        using var row = weights.TextEmbedding.select(0, text);
        row.fill_(float.NaN);
        return weights;
    }

    /// <summary>A draw that ignores nothing, for rows whose logits are looked at.</summary>
    public static TokenDraw AnyDraw { get; } = new(0, 0, [], false);

    /// <summary>Feeds one row and gives the log-probabilities after it.</summary>
    public static float[] LogProbabilities(LanguageModel model, ILanguageState state, params int[] inputs)
    {
        var logits = model.Forward([new LanguageRow { State = state, Inputs = inputs, Draw = AnyDraw }]).ToArray();
        return LogSoftmax(logits);
    }

    public static float[] LogSoftmax(float[] logits)
    {
        double max = logits.Max(), sum = logits.Sum(x => Math.Exp(x - max));
        return [.. logits.Select(x => (float)(x - max - Math.Log(sum)))];
    }

    /// <summary>Compares within 2e-4 absolute and 1e-4 of the norm.</summary>
    public static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = 0, difference = 0, norm = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var d = expected[i] - (double)actual[i];
            worst = Math.Max(worst, Math.Abs(d));
            difference += d * d;
            norm += (double)expected[i] * expected[i];
        }

        // Written so that NaN fails.
        Assert.True(worst <= 2e-4 && Math.Sqrt(difference / norm) <= 1e-4,
            $"{what}: max difference {worst:g3}, relative norm {Math.Sqrt(difference / norm):g3}");
    }
}
