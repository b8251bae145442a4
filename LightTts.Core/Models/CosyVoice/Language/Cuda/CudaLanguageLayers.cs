using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>The language model's layers in own kernels, with the weights, the tables and the KV cache that they read: five launches a layer where
/// there are few rows.</summary>
/// <remarks>The maths of <see cref="Torch.TorchLanguageLayers"/>, to which it is held. Everything but the products' inputs and the KV cache is in
/// 32 bits: residual stream, queries, scores, sums.</remarks>
internal sealed class CudaLanguageLayers : IDisposable
{
    private readonly TransformerShape _shape;
    private readonly WeightArena _weights;
    private readonly CudaModule _module;
    private readonly EmbeddingKernel _embedding;
    private readonly ProductKernels _products;
    private readonly AttentionKernel _attention;
    private readonly SamplingKernel _sampling;
    private readonly CublasProducts? _cublas;
    private readonly PromptKernels? _prompt; // null where there is no cuBLAS: then prompts go as decoding goes
    private readonly nint _table; // [text vocabulary + speech rows, hidden]
    private readonly Tensor _turns; // [positions, head / 2, (cos, sin)]
    private readonly Tensor[] _keys; // of each layer: [blocks, kv, page, head]
    private readonly Tensor[] _values;
    private readonly Layer[] _layers;
    private readonly nint _norm;
    private readonly nint _head;
    private readonly nint _headBias;
    private readonly float _epsilon;

    /// <summary>Brings the weights to the device.</summary>
    /// <param name="config">The model's sizes.</param>
    /// <param name="weights">In main memory, in the types in which the device is to have them; taken over.</param>
    /// <param name="device">The device.</param>
    /// <param name="kvBlocks">Blocks of the KV cache.</param>
    /// <param name="module">The kernels.</param>
    public CudaLanguageLayers(LanguageModelConfig config, LanguageWeights weights, TorchDevice device, int kvBlocks, CudaModule module)
    {
        _shape = Shape(config, device);
        _module = module;
        Device = device.Device;
        TextVocabulary = config.TextVocabulary;
        MaxPositions = kvBlocks * KvBlockPool.BlockSize;
        _epsilon = (float)config.RmsNormEps;
        _embedding = new EmbeddingKernel(module, _shape);
        _products = new ProductKernels(module, _shape);
        _attention = new AttentionKernel(module, _shape);
        _sampling = new SamplingKernel(module, _shape);
        _cublas = CublasProducts.TryCreate();
        _prompt = _cublas is null ? null : new PromptKernels(module, _shape, _cublas);

        var rotary = new RotaryTable(config.HeadDim, config.RopeTheta);
        rotary.Ensure(MaxPositions);
        _turns = TensorData.FromSingles(rotary.Pairs[..(MaxPositions * rotary.Stride)], device.Device, MaxPositions, config.HeadDim)
            .DetachFromDisposeScope();
        Tensor[] Pages() => [.. Enumerable.Range(0, config.Layers).Select(_ =>
            zeros([kvBlocks, config.KvHeads, KvBlockPool.BlockSize, config.HeadDim], device.Compute, device.Device).DetachFromDisposeScope())];
        (_keys, _values) = (Pages(), Pages());
        using (weights)
        {
            var head = (TorchLinear)weights.Head;
            _weights = new WeightArena([[weights.TextEmbedding, weights.SpeechEmbedding], .. weights.Layers.SelectMany(Layer.Weights), [weights.Norm],
                [head.Weight], [.. head.Bias is { } bias ? new[] { bias } : []]], device.Device);
            var places = new Queue<nint>(_weights.Addresses);
            _table = places.Dequeue();
            _layers = [.. weights.Layers.Select((_, i) => new Layer(places, _keys[i], _values[i]))];
            (_norm, _head, _headBias) = (places.Dequeue(), places.Dequeue(), head.Bias is null ? 0 : places.Dequeue());
        }
    }

    public Device Device { get; }

    public int TextVocabulary { get; }

    /// <summary>Positions of a sequence at the most.</summary>
    public int MaxPositions { get; }

    /// <summary>Transformer layers.</summary>
    public int Layers => _layers.Length;

    public static TransformerShape Shape(LanguageModelConfig config, TorchDevice device) => new(config.HiddenSize, config.Heads, config.KvHeads,
        config.HeadDim, config.IntermediateSize, LanguageVocabulary.LogitCount(config), KvBlockPool.BlockSize, device.Compute == Precisions.Half);

    /// <summary>Room for rows and what is computed of them.</summary>
    public StepMemory CreateMemory(int rows, int draws) => new(_shape, rows, draws, Device);

    /// <summary>Launches a step.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="inputs">Address of the inputs on the device.</param>
    /// <param name="layout">How they lie there.</param>
    /// <param name="memory">With room for as many rows and draws.</param>
    /// <param name="tokens">Where drawn tokens lie, and go.</param>
    /// <param name="draws">Whether tokens are drawn; otherwise the logits are wanted alone.</param>
    public void Run(nint stream, nint inputs, in StepLayout layout, StepMemory memory, DrawnTokens tokens, bool draws)
    {
        Embed(stream, inputs, layout, memory, tokens);
        for (var i = 0; i < _layers.Length; i++)
        {
            Project(i, stream, inputs, layout, memory, ahead: true);
            Attend(i, stream, inputs, layout, memory);
            AddAttended(i, stream, layout, memory, ahead: true);
            Gate(i, stream, layout, memory);
            AddGated(i, stream, layout, memory, ahead: true);
        }
        if (layout.Draws == 0)
            return;
        Score(stream, inputs, layout, memory);
        if (draws)
            Draw(stream, inputs, layout, memory, tokens);
    }

    // The parts of a step, for whoever asks what each of them costs: alone, without bringing later weights into the second-level cache.

    internal void Embed(nint stream, nint inputs, in StepLayout layout, StepMemory memory, DrawnTokens tokens) =>
        _embedding.Launch(stream, layout.Rows, inputs + layout.Inputs, tokens.Device, TextVocabulary, _table, _layers[0].AttentionNorm,
            memory.Stream);

    internal void Project(int i, nint stream, nint inputs, in StepLayout layout, StepMemory memory, bool ahead = false)
    {
        var layer = _layers[i];
        var cache = Cache(layer, inputs, layout);
        if (Prompt(layout) is { } prompt)
            prompt.Project(stream, layout.Rows, memory.Stream, layer.Qkv, layer.QkvBias, _turns.Address(), cache, memory.Product, memory.Queries,
                _epsilon);
        else
            _products.Project(stream, layout.Rows, memory.Stream, layer.Qkv, layer.QkvBias, _turns.Address(), cache, memory.Queries, _epsilon,
                ahead ? new WeightRange(layer.GateUp, 2 * _shape.Inner * _shape.Hidden * _shape.ElementBytes) : default);
    }

    internal void Attend(int i, nint stream, nint inputs, in StepLayout layout, StepMemory memory) =>
        _attention.Launch(stream, layout.Rows, memory.Queries, Cache(_layers[i], inputs, layout), memory.Attended,
            settles: layout.Rows == layout.Sequences);

    internal void AddAttended(int i, nint stream, in StepLayout layout, StepMemory memory, bool ahead = false)
    {
        var (weight, norm) = (_layers[i].Output, _layers[i].FeedForwardNorm);
        if (Prompt(layout) is { } prompt)
            prompt.Add(stream, layout.Rows, memory.Attended, _shape.Heads * _shape.HeadDim, weight, norm, memory.Stream);
        else
            _products.AddAttended(stream, layout.Rows, memory.Attended, weight, norm, memory.Stream,
                ahead ? new WeightRange(_layers[i].Down, _shape.Inner * _shape.Hidden * _shape.ElementBytes) : default);
    }

    internal void Gate(int i, nint stream, in StepLayout layout, StepMemory memory)
    {
        if (Prompt(layout) is { } prompt)
            prompt.Gate(stream, layout.Rows, memory.Stream, _layers[i].GateUp, memory.Product, memory.Gated, _epsilon);
        else
            _products.Gate(stream, layout.Rows, memory.Stream, _layers[i].GateUp, memory.Gated, _epsilon);
    }

    internal void AddGated(int i, nint stream, in StepLayout layout, StepMemory memory, bool ahead = false)
    {
        var (weight, norm) = (_layers[i].Down, i + 1 < _layers.Length ? _layers[i + 1].AttentionNorm : _norm);
        if (Prompt(layout) is { } prompt)
            prompt.Add(stream, layout.Rows, memory.Gated, _shape.Inner, weight, norm, memory.Stream);
        else
            _products.AddGated(stream, layout.Rows, memory.Gated, weight, norm, memory.Stream,
                ahead && i + 1 < _layers.Length
                    ? new WeightRange(_layers[i + 1].Qkv, _shape.Projected * _shape.Hidden * _shape.ElementBytes) : default);
    }

    internal void Score(nint stream, nint inputs, in StepLayout layout, StepMemory memory) =>
        _products.Head(stream, layout.Draws, inputs + layout.Map, memory.Stream, _head, _headBias, memory.Logits, _epsilon);

    internal void Draw(nint stream, nint inputs, in StepLayout layout, StepMemory memory, DrawnTokens tokens) =>
        _sampling.Launch(stream, layout.Draws, memory.Logits, inputs + layout.DrawsAt, tokens.Device, tokens.Host);

    private PromptKernels? Prompt(in StepLayout layout) => layout.Rows > ProductKernels.MaxRows ? _prompt : null;

    private static PagedCache Cache(Layer layer, nint inputs, in StepLayout layout) => new(layer.Keys, layer.Values, inputs + layout.Positions,
        inputs + layout.SequenceNumbers, inputs + layout.Tables, layout.TableBlocks);

    public void Dispose()
    {
        foreach (var pages in _keys.Concat(_values))
            pages.Dispose();
        _turns.Dispose();
        _weights.Dispose();
        _cublas?.Dispose();
        _module.Dispose();
    }

    /// <summary>Where a layer's numbers lie.</summary>
    /// <param name="places">Where its weights lie, in the order of <see cref="Weights"/>; they are taken off.</param>
    /// <param name="keys">Its pages.</param>
    /// <param name="values">Likewise.</param>
    private sealed class Layer(Queue<nint> places, Tensor keys, Tensor values)
    {
        public nint AttentionNorm { get; } = places.Dequeue();
        public nint Qkv { get; } = places.Dequeue();
        public nint QkvBias { get; } = places.Dequeue();
        public nint Output { get; } = places.Dequeue();
        public nint FeedForwardNorm { get; } = places.Dequeue();
        public nint GateUp { get; } = places.Dequeue();
        public nint Down { get; } = places.Dequeue();
        public nint Keys { get; } = keys.Address();
        public nint Values { get; } = values.Address();

        public static IEnumerable<Tensor[]> Weights(LanguageLayer layer)
        {
            var qkv = (TorchLinear)layer.Qkv;
            return
            [
                [layer.AttentionNorm], [qkv.Weight], [qkv.Bias!], [((TorchLinear)layer.Output).Weight], [layer.FeedForwardNorm],
                [((TorchLinear)layer.GateUp).Weight], [((TorchLinear)layer.Down).Weight],
            ];
        }
    }
}
