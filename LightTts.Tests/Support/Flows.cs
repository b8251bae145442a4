using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Timbres;
using LightTts.Torch;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Support;

/// <summary>Flows, voices and fixtures for the flow's tests.</summary>
internal static class Flows
{
    public static FlowConfig TinyEnConfig { get; } = new()
    {
        VocabularySize = 6561,
        InputSize = 80,
        MelBands = 80,
        SpeakerEmbedding = 192,
        TokenMelRatio = 2,
        PreLookaheadTokens = 3,
        PreLookaheadChannels = 256,
        CfgRate = 0.7,
        ChunkFrames = 50,
        Dit = new DiTConfig(256, 7, 4, 64, 2),
    };

    private static readonly FlowConfig GoldenConfig =
        TinyEnConfig with { VocabularySize = 512, PreLookaheadChannels = 40, Dit = new DiTConfig(48, 3, 3, 16, 2) };

    /// <summary>The flow of the golden fixtures' CosyVoice3 (random weights, 3 blocks of 48).</summary>
    public static FlowModel Golden(TorchDevice? device = null) =>
        Load(Repo.Golden("main/models/cosyvoice3-tiny/flow.pt"), GoldenConfig, device: device);

    /// <summary>The flow of one of the fixtures' models, "cv2" or "cv3", as its directory says it.</summary>
    public static FlowModel Golden(string model, ScalarType compute = ScalarType.Float32, TorchDevice? device = null, FlowOptions? options = null)
    {
        var directory = ModelDirectory.Open(Repo.Golden($"main/models/cosyvoice{model[2]}-tiny"));
        using var archive = ModelFiles.OpenWeights(directory.Files.Flow);
        return FlowModel.Load(archive, directory.Config.Flow, directory.Config.Generation.FlowParts,
            (device ?? TorchDevice.Cpu) with { Compute = compute }, options);
    }

    /// <summary>The embedded voice's flow.</summary>
    public static FlowModel TinyEn(FlowOptions? options = null, ScalarType compute = ScalarType.Float32, TorchDevice? device = null) =>
        Load(Path.Combine(Repo.TinyEn, "flow.pt"), TinyEnConfig, options, compute, device);

    /// <summary>The embedded voice's flow, or that of the fixtures' CosyVoice3, with the estimator that GPUs have, on any device.</summary>
    public static FlowModel Batched(bool golden = false, FlowOptions? options = null, ScalarType compute = ScalarType.Float32,
        TorchDevice? device = null) =>
        Load(golden ? Repo.Golden("main/models/cosyvoice3-tiny/flow.pt") : Path.Combine(Repo.TinyEn, "flow.pt"), golden ? GoldenConfig : TinyEnConfig,
            options ?? new FlowOptions(CacheBudget: 64 << 20), compute, device, CosyVoiceGeneration.V3.FlowParts with
            {
                Estimator = static (reader, config, options) => new DiTDeviceEstimator(
                    DiTWeights.Load(reader, config.Dit!, config.MelBands), reader.Device, config.ChunkFrames, options.CacheBudget),
            });

    /// <summary>The same with the plain estimator.</summary>
    public static FlowModel Plain(bool golden = false, FlowOptions? options = null, ScalarType compute = ScalarType.Float32,
        TorchDevice? device = null) =>
        Load(golden ? Repo.Golden("main/models/cosyvoice3-tiny/flow.pt") : Path.Combine(Repo.TinyEn, "flow.pt"), golden ? GoldenConfig : TinyEnConfig,
            options, compute, device, CosyVoiceGeneration.V3.FlowParts with
        {
            Estimator = static (reader, config, options) => new DiTEstimator(
                DiTWeights.Load(reader, config.Dit!, config.MelBands), reader.Device, config.ChunkFrames, options.CacheBudget),
        });

    /// <summary>A made-up voice: seeded tokens, mel and embedding.</summary>
    public static TimbreFeatures Timbre(int seed, int tokens, int vocabulary = 6561)
    {
        var random = new Random(seed);
        return new TimbreFeatures(null, Tokens(random, tokens, vocabulary), Numbers(random, tokens * 2 * 80, 1.5f, -4), tokens * 2,
            Numbers(random, 192, 1, 0));
    }

    public static int[] Tokens(Random random, int count, int vocabulary = 6561) =>
        [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];

    /// <summary>A fixture's voice: prompt tokens, prompt mel, embedding.</summary>
    public static TimbreFeatures Timbre(SafetensorsFile file, string tokens, string mel, string embedding) =>
        new(null, Ints(file, tokens), file.Tensors[mel].ToSingles(), (int)file.Tensors[mel].Shape[1], file.Tensors[embedding].ToSingles());

    public static int[] Ints(SafetensorsFile file, string name) => [.. file.Tensors[name].ToInt64s().Select(id => (int)id)];

    public static Tensor Fixture(SafetensorsFile file, string name) =>
        TensorData.FromSingles(file.Tensors[name].ToSingles(), CPU, [.. file.Tensors[name].Shape]);

    /// <summary>Starts an utterance; a streamed one that shares its voice's prompt computes it where nobody has.</summary>
    public static FlowState Start(this FlowModel flow, TimbreFeatures timbre, bool streaming, int steps,
        FlowCachePolicy policy = FlowCachePolicy.Cached, bool sharePrefix = true)
    {
        var state = flow.CreateState(timbre, streaming, steps, policy);
        if (sharePrefix)
            flow.BeginPrompt(state).Finish();
        return state;
    }

    /// <summary>Runs rows as one pass.</summary>
    public static void Run(this FlowModel flow, IReadOnlyList<FlowRow> rows) => flow.Begin(rows).Finish();

    /// <summary>Encodes tokens from an utterance's first: [frames, 80].</summary>
    public static Tensor Encode(this FlowModel flow, ReadOnlyMemory<int> tokens, bool final, bool streaming)
    {
        var (mu, tail) = flow.Encoder.Encode([new FlowTokens(tokens, final, streaming, Tail: null)])[0];
        tail.Dispose();
        return mu;
    }

    /// <summary>An utterance's frames, all at once and for the last time; whole, or chunk-causal.</summary>
    public static FlowSegment Segment(this FlowModel flow, TimbreFeatures voice, int[] tokens, int chunk = 0)
    {
        var device = flow.Speaker(voice.Embedding).device;
        var mu = flow.Encode((int[])[.. voice.SpeechTokens, .. tokens], final: true, streaming: chunk > 0);
        var mel = zeros([mu.shape[0], 80], device: device);
        mel.narrow(0, 0, voice.MelFrames).copy_(TensorData.FromSingles(voice.Mel, device, voice.MelFrames, 80));
        return new FlowSegment
        {
            Start = 0, Count = (int)mu.shape[0], Chunk = chunk, Mu = mu, Condition = mel, Speaker = flow.Speaker(voice.Embedding), Last = true,
        };
    }

    /// <summary>Solves from the beginning to the end: [M, 80].</summary>
    public static Tensor Solve(this FlowModel flow, FlowSegment segment, int steps, Action<int, Tensor, Tensor>? observe = null)
    {
        using var solve = flow.BeginSolve([segment], steps, observe);
        while (solve.Advance())
        {
        }
        return solve.Mel.clone();
    }

    /// <summary>Runs one row and returns its mel, or null; fails the test where the row failed.</summary>
    public static Tensor? Run(this FlowModel flow, FlowState state, ReadOnlyMemory<int> tokens, bool final)
    {
        var row = new FlowRow { State = state, Tokens = tokens, Final = final };
        flow.Run([row]);
        Assert.Null(row.Error);
        return row.Mel;
    }

    /// <summary>Speaks tokens in pieces and joins the mel: [1, 80, n].</summary>
    public static Tensor Stream(this FlowModel flow, FlowState state, int[] tokens, IEnumerable<int> pieces)
    {
        List<Tensor> mels = [];
        var at = 0;
        foreach (var piece in pieces)
        {
            if (flow.Run(state, tokens.AsMemory(at, piece), at + piece == tokens.Length) is { } mel)
                mels.Add(mel);
            at += piece;
        }
        Assert.Equal(tokens.Length, at);
        return cat(mels, 2);
    }

    /// <summary>Fails unless both have the same shape and differ by no more than <paramref name="tolerance"/> anywhere.</summary>
    public static void Near(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = Difference(expected, actual);
        Assert.True(difference <= tolerance, $"differs by {difference:g3}, allowed {tolerance:g3}");
    }

    public static float Difference(Tensor a, Tensor b) => (a - b).abs().max().ToSingle();

    private static FlowModel Load(string path, FlowConfig config, FlowOptions? options = null, ScalarType compute = ScalarType.Float32,
        TorchDevice? device = null, FlowParts? parts = null)
    {
        using var archive = PyTorchCheckpoint.Open(path);
        return FlowModel.Load(archive, config, parts ?? CosyVoiceGeneration.V3.FlowParts, (device ?? TorchDevice.Cpu) with { Compute = compute },
            options);
    }

    /// <summary>A cut of so many tokens into pieces of 1 to 40.</summary>
    public static List<int> Pieces(Random random, int total)
    {
        List<int> pieces = [];
        for (var left = total; left > 0; left -= pieces[^1])
            pieces.Add(random.Next(1, Math.Min(left, 40) + 1));
        return pieces;
    }

    private static float[] Numbers(Random random, int count, float scale, float shift) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1) * scale + shift)];
}
