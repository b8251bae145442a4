using System.Runtime.InteropServices;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Language.Cpu;
using LightTts.Models.CosyVoice.Language.Cuda;
using LightTts.Models.CosyVoice.Language.Torch;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>How much a language model takes on.</summary>
/// <param name="KvBlocks">Blocks in the pool of the KV cache; with 16 positions each, 25 of them hold a ten-second utterance with its prompt.</param>
/// <param name="Limits">What a step may hold.</param>
/// <param name="Thread">How its thread uses libtorch; null: as it comes, with all cores for a product on the CPU.</param>
/// <param name="Room">What it was given of a budget, given back when it goes; null: nothing.</param>
internal readonly record struct LanguageModelOptions(int KvBlocks, LanguageLimits Limits, TorchThread? Thread = null, IDisposable? Room = null);

/// <summary>CosyVoice's language model with its KV cache and its sampling (Qwen2LM and CosyVoice3LM in cosyvoice/llm/llm.py).</summary>
internal sealed class LanguageModel : ILanguageModel
{
    private readonly LanguageModelConfig _config;
    private readonly ILanguageEngine _engine;
    private readonly KvBlockPool _pool;
    private readonly Queue<LaunchedStep> _idle = new([new LaunchedStep(), new LaunchedStep()]);
    private readonly Queue<LaunchedStep> _launched = new(2); // in the order in which they are collected
    private readonly int[] _tokens;
    private readonly TorchThread? _thread;
    private readonly IDisposable? _room;

    public LanguageModel(LanguageModelConfig config, ILanguageEngine engine, LanguageModelOptions options)
    {
        _config = config;
        _engine = engine;
        _pool = new KvBlockPool(options.KvBlocks);
        Limits = options.Limits;
        _thread = options.Thread;
        _room = options.Room;
        Vocabulary = LanguageVocabulary.For(config);
        _tokens = new int[Limits.MaxRows];
    }

    /// <summary>Reads llm.pt and chooses the engine for the device.</summary>
    /// <exception cref="TtsModelLoadException">Tensors are missing or have other shapes.</exception>
    public static LanguageModel Load(ITensorArchive archive, LanguageModelConfig config, TorchDevice device, LanguageModelOptions options)
    {
        string? fault = null;
        ILanguageEngine engine = !device.IsCuda && device.Compute == ScalarType.Float32 && CpuLanguageEngine.Supports(config)
            ? new CpuLanguageEngine(config,
                LanguageWeights.Load(archive, config, device, CpuLanguageEngine.Matrix(device), CpuLanguageEngine.Head, mapText: true),
                options.KvBlocks, options.Thread?.Threads ?? -1)
            : device.IsCuda && CudaLanguageEngine.TryCreate(config, device, options.KvBlocks,
                () => LanguageWeights.Load(archive, config, new TorchDevice(CPU, device.Compute)), out fault) is { } own ? own
            : new TorchLanguageEngine(config, LanguageWeights.Load(archive, config, device), device, options.KvBlocks);
        return new LanguageModel(config, engine, options) { KernelFault = fault };
    }

    /// <summary>What computes it.</summary>
    internal ILanguageEngine Engine => _engine;

    /// <summary>Why a CUDA device computes it in libtorch's operations, which is slower; null where it does not.</summary>
    public string? KernelFault { get; private init; }

    public SpeechVocabulary Vocabulary { get; }

    public SpeechPace Pace { get; } = new(TokensPerSecond: 25, Fastest: 26, Slowest: 5, Slack: 1.5, Shortest: 0.4);

    public int KvBlockSize => KvBlockPool.BlockSize;

    public int KvBlocks => _pool.Blocks;

    public int FreeKvBlocks => _pool.Free;

    public LanguageLimits Limits { get; }

    // Its steps are short, and everybody waits for them.
    public IDisposable EnterThread() => _thread?.Enter(urgent: true) ?? inference_mode(true);

    /// <summary>A step, so that its code is compiled and its buffers are there.</summary>
    public void WarmUp()
    {
        using var state = CreateState();
        Launch([new LanguageRow { State = state, Inputs = new[] { Vocabulary.Sos }, Draw = new TokenDraw(0, 0, [], IgnoreEos: true) }]);
        Collect();
        _engine.Prepare(Limits.MaxRows);
        // For prompts of lengths that have not occurred.
        if (_thread?.CudaDevice is { } device)
            WorkingMemory.Reserve(new Device(TorchSharp.DeviceType.CUDA, device), 1 / 64.0, 8L << 20, 256L << 20);
    }

    public bool CanFollow => _launched.Count == 1 && _launched.Peek().Rows.Count > 0 && _engine.CanFollow;

    public ILanguageState CreateState() => new LanguageState(_pool);

    /// <inheritdoc/>
    /// <exception cref="KvBlocksExhaustedException">There are too few free blocks; nothing was changed.</exception>
    public void Launch(IReadOnlyList<LanguageRow> rows)
    {
        if (_launched.Count > 0 && !CanFollow)
            throw new InvalidOperationException("The step under way is to be collected before the next one.");
        var step = _idle.Peek();
        Order(rows, step.Rows);
        Reserve(step.Rows);
        step.Batch.Clear();
        step.Draws.Clear();
        foreach (var row in step.Rows)
        {
            step.Batch.Add((LanguageState)row.State, row.Inputs.Span, row.Draw is not null, row.Follows?.DrawNumber ?? -1);
            if (row.Draw is not { } draw)
                continue;
            row.DrawNumber = step.Draws.Count;
            step.Draws.Add(draw);
        }
        if (step.Rows.Count > 0)
            _engine.Launch(step.Batch, CollectionsMarshal.AsSpan(step.Draws));
        // What is launched later comes after it, so that for all who look they are in the cache.
        foreach (var row in step.Rows)
            ((LanguageState)row.State).Advance(row.Inputs.Length);
        _launched.Enqueue(_idle.Dequeue());
    }

    /// <inheritdoc/>
    public void Collect()
    {
        var step = _launched.Dequeue();
        _idle.Enqueue(step);
        if (step.Rows.Count == 0)
            return;
        var tokens = _tokens.AsSpan(0, step.Draws.Count);
        _engine.Collect(tokens);
        foreach (var row in step.Rows)
        {
            if (row.Draw is null)
                continue;
            if (tokens[row.DrawNumber] != ILanguageEngine.NotFinite)
                row.Token = tokens[row.DrawNumber];
            else
                row.Error = new TtsSynthesisException(
                    "The language model produced numbers that are not finite; its weights or this request's prompt are damaged.");
        }
    }

    /// <summary>Feeds every row without drawing, for whoever compares engines.</summary>
    /// <returns>Logits of the rows that ask for a draw: those with one input first, then those with more.</returns>
    internal ReadOnlySpan<float> Forward(IReadOnlyList<LanguageRow> rows)
    {
        Launch(rows);
        var step = _launched.Dequeue();
        _idle.Enqueue(step);
        return step.Rows.Count == 0 ? [] : _engine.CollectLogits();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _room?.Dispose();
    }

    /// <summary>Sorts the rows as <see cref="LanguageBatch"/> wants them and sets aside those that cannot be fed.</summary>
    private void Order(IReadOnlyList<LanguageRow> rows, List<LanguageRow> order)
    {
        if (rows.Count > Limits.MaxRows)
            throw new ArgumentException($"{rows.Count} rows, at most {Limits.MaxRows} go into a step.", nameof(rows));
        order.Clear();
        foreach (var row in rows)
        {
            (row.Token, row.DrawNumber) = (-1, -1);
            row.Error = Check(row);
        }

        foreach (var row in rows)
            if (row.Error is null && row.Inputs.Length == 1)
                order.Add(row);
        foreach (var row in rows)
            if (row.Error is null && row.Inputs.Length > 1)
                order.Add(row);
    }

    private Exception? Check(LanguageRow row)
    {
        if (row.State is not LanguageState state || state.Pool != _pool)
            return new ArgumentException("The row's state belongs to another model.");
        if (row.Follows is { DrawNumber: < 0 } or { Error: not null })
            return new InvalidOperationException("The row follows one that draws nothing.");
        if (row.Inputs.IsEmpty)
            return new ArgumentException("The row has no inputs.");
        var speechRows = Math.Max(Vocabulary.LogitCount, Math.Max(~Vocabulary.Sos, ~Vocabulary.TaskId) + 1);
        foreach (var input in row.Inputs.Span)
            if (input >= _config.TextVocabulary || ~input >= speechRows)
                return new TtsSynthesisException($"Input {input} is outside of the model's tables ({_config.TextVocabulary} text tokens, "
                + $"{speechRows} speech tokens).");
        return null;
    }

    private void Reserve(List<LanguageRow> rows)
    {
        var needed = 0;
        foreach (var row in rows)
            needed += ((LanguageState)row.State).BlocksFor(row.Inputs.Length);
        if (needed > _pool.Free)
            throw new KvBlocksExhaustedException(needed, _pool.Free);
        foreach (var row in rows)
            ((LanguageState)row.State).Reserve(row.Inputs.Length);
    }

    /// <summary>A step on its way: its rows as <see cref="LanguageBatch"/> wants them, and how to draw for them.</summary>
    private sealed class LaunchedStep
    {
        public List<LanguageRow> Rows { get; } = [];

        public LanguageBatch Batch { get; } = new();

        public List<TokenDraw> Draws { get; } = [];
    }
}
