using LightTts.Cpu;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Language.Torch;
using LightTts.Torch;
using TorchSharp;

namespace LightTts.Models.CosyVoice.Language.Cpu;

/// <summary>The language model on the CPU in 32-bit floats, or with weights of 16 or 8 bits, without a tensor library: at
/// the sizes of decoding the calls cost more than the arithmetic.</summary>
/// <remarks>
/// The maths is that of <see cref="TorchLanguageEngine"/>. Every row is computed by
/// itself and in one order of summation, so a sequence gets the same bits alone and
/// in any batch, prefilled whole or in pieces, fed for the first time or again after a preemption.
/// </remarks>
internal sealed unsafe class CpuLanguageEngine : ILanguageEngine
{
    private const int SharedRows = 16; // of a prompt: fewer are done before other threads have begun

    private readonly LanguageModelConfig _config;
    private readonly torch.Tensor _textEmbedding;
    private readonly MappedRows? _textRows;
    private readonly torch.Tensor _speechEmbedding;
    private readonly Layer[] _layers;
    private readonly NativeBuffer _norm;
    private readonly HostLinear _head;
    private readonly PagedAttention _attention;
    private readonly RotaryTable _rotary;
    private readonly int _hidden;
    private readonly int _queries;
    private readonly int _keys;
    private readonly int _inner;
    private readonly int _threads;
    private readonly HostSampler _sampler;
    private LanguageBatch? _launched;
    private Scratch _scratch;

    /// <summary>Takes the weights over.</summary>
    /// <param name="config">The model's shapes.</param>
    /// <param name="weights">Loaded with <see cref="Matrix"/>.</param>
    /// <param name="kvBlocks">Blocks of the key/value cache.</param>
    /// <param name="threads">Threads of one product; -1: all cores.</param>
    public CpuLanguageEngine(LanguageModelConfig config, LanguageWeights weights, int kvBlocks, int threads = -1)
    {
        _threads = threads;
        _config = config;
        _hidden = config.HiddenSize;
        _queries = config.Heads * config.HeadDim;
        _keys = config.KvHeads * config.HeadDim;
        _inner = config.IntermediateSize;
        (_textEmbedding, _textRows) = (weights.TextEmbedding, weights.TextRows);
        _speechEmbedding = weights.SpeechEmbedding;
        _layers = [.. weights.Layers.Select(layer => new Layer(layer))];
        _norm = Copy(weights.Norm);
        _head = (HostLinear)weights.Head;
        _attention = new PagedAttention(config, kvBlocks);
        _rotary = new RotaryTable(config.HeadDim, config.RopeTheta);
        _sampler = new HostSampler(config);
        _scratch = new Scratch(this, 16);
    }

    /// <summary>Makes the layers that this engine multiplies by.</summary>
    public static Func<torch.Tensor, torch.Tensor?, Linear> Matrix(TorchDevice device) =>
        device.Int8 ? static (weight, bias) => new QuantizedLinear(weight, bias)
        : (weight, bias) => new PackedLinear(weight, bias, device.Weights);

    /// <summary>Makes the last one, which is always of 32-bit numbers: its rounding would go into the draws directly, and it is small.</summary>
    public static Linear Head(torch.Tensor weight, torch.Tensor? bias) => new PackedLinear(weight, bias);

    /// <summary>Whether a model's shapes fit this engine.</summary>
    public static bool Supports(LanguageModelConfig config) => config.HeadDim % 8 == 0;

    public void Prepare(int maxRows)
    {
        // Nothing is captured on the CPU.
    }

    // The processor that would do the step is the one that waits for it: the work is done when it is collected.
    public void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
    {
        _sampler.Expect(draws);
        _launched = batch;
    }

    public void Collect(Span<int> tokens)
    {
        CollectLogits();
        _sampler.Draw(tokens);
    }

    public ReadOnlySpan<float> CollectLogits()
    {
        Forward(_launched ?? throw new InvalidOperationException("No step was launched."), _sampler.Logits);
        _launched = null;
        return _sampler.Logits;
    }

    private void Forward(LanguageBatch batch, Span<float> logits)
    {
        if (batch.Count > _scratch.Rows)
        {
            _scratch.Dispose();
            _scratch = new Scratch(this, batch.Count);
        }

        foreach (var position in batch.Positions)
            _rotary.Ensure(position + 1);
        Embed(batch.Inputs);
        for (var layer = 0; layer < _layers.Length; layer++)
            Forward(layer, batch);
        Head(batch.LogitRows, logits);
    }

    public void Dispose()
    {
        _textEmbedding.Dispose();
        _textRows?.Dispose();
        _speechEmbedding.Dispose();
        foreach (var layer in _layers)
            layer.Dispose();
        _norm.Dispose();
        _head.Dispose();
        _attention.Dispose();
        _scratch.Dispose();
    }

    private void Embed(ReadOnlySpan<int> inputs)
    {
        float* text = _textEmbedding.Pointer(), speech = _speechEmbedding.Pointer();
        for (var row = 0; row < inputs.Length; row++)
        {
            var id = inputs[row];
            if (id >= 0 && _textRows is not null)
            {
                _textRows.Copy(id, _scratch.X.At(row));
                continue;
            }
            var from = id >= 0 ? text + (long)id * _hidden : speech + (long)~id * _hidden;
            new ReadOnlySpan<float>(from, _hidden).CopyTo(new Span<float>(_scratch.X.At(row), _hidden));
        }
    }

    private void Forward(int index, LanguageBatch batch)
    {
        var layer = _layers[index];
        var (x, normal, qkv, attended, gateUp, gated) =
            (_scratch.X, _scratch.Normal, _scratch.Qkv, _scratch.Attended, _scratch.GateUp, _scratch.Gated);
        var rows = batch.Count;
        Normalise(x, layer.AttentionNorm, normal, rows);
        layer.Qkv.Multiply(normal.Start, normal.Stride, rows, qkv.Start, qkv.Stride, accumulate: false, _threads);
        foreach (var sequence in batch.Sequences)
            if (IsShared(sequence.Count))
                AttendInParallel(index, sequence);
            else
                for (var i = 0; i < sequence.Count; i++)
                {
                    Keep(index, sequence, i);
                    Attend(index, sequence, i);
                }
        layer.Output.Multiply(attended.Start, attended.Stride, rows, x.Start, x.Stride, accumulate: true, _threads);

        Normalise(x, layer.FeedForwardNorm, normal, rows);
        layer.GateUp.Multiply(normal.Start, normal.Stride, rows, gateUp.Start, gateUp.Stride, accumulate: false, _threads);
        if (IsShared(rows))
            GateInParallel(rows);
        else
            for (var row = 0; row < rows; row++)
                Gate(row);
        layer.Down.Multiply(gated.Start, gated.Stride, rows, x.Start, x.Stride, accumulate: true, _threads);
    }

    /// <summary>Whether so many rows make up for handing them out.</summary>
    private bool IsShared(int rows) => _threads != 1 && rows >= SharedRows;

    /// <summary>Turns a position's queries and keys, and puts keys and values into the cache.</summary>
    private void Keep(int layer, LanguageBatch.Sequence sequence, int input)
    {
        var position = sequence.Past + input;
        var qkv = _scratch.Qkv.At(sequence.Start + input);
        fixed (float* table = _rotary.Pairs)
        {
            var turns = table + (long)position * _rotary.Stride;
            for (var head = 0; head < _config.Heads + _config.KvHeads; head++)
                VectorMath.Rotate(qkv + head * _config.HeadDim, turns, _config.HeadDim);
        }
        _attention.Write(layer, sequence.State, position, qkv + _queries, qkv + _queries + _keys);
    }

    private void Attend(int layer, LanguageBatch.Sequence sequence, int input) => _attention.Attend(layer, sequence.State, sequence.Past + input,
        _scratch.Qkv.At(sequence.Start + input), _scratch.Attended.At(sequence.Start + input));

    private void Gate(int row) =>
        VectorMath.SwiGlu(_scratch.GateUp.At(row), _scratch.GateUp.At(row) + _inner, _scratch.Gated.At(row), _inner);

    // In methods of their own, so that steps of single rows allocate nothing for what they hand out.
    private void AttendInParallel(int layer, LanguageBatch.Sequence sequence)
    {
        Share(sequence.Count, input => Keep(layer, sequence, input));
        Share(sequence.Count, input => Attend(layer, sequence, input));
    }

    private void GateInParallel(int rows) => Share(rows, Gate);

    private void Share(int rows, Action<int> action) =>
        Parallel.For(0, rows, new ParallelOptions { MaxDegreeOfParallelism = _threads }, action);

    private void Head(IReadOnlyList<int> rows, Span<float> logits)
    {
        var width = (int)_head.Outputs;
        var (x, normal, outputs) = (_scratch.X, _scratch.Normal, _scratch.Logits(rows.Count, width));
        for (var i = 0; i < rows.Count; i++)
            VectorMath.RmsNorm(x.At(rows[i]), _norm.Start, normal.At(i), _hidden, (float)_config.RmsNormEps);
        _head.Multiply(normal.Start, normal.Stride, rows.Count, outputs.Start, outputs.Stride, accumulate: false, _threads);
        for (var i = 0; i < rows.Count; i++)
            new ReadOnlySpan<float>(outputs.At(i), width).CopyTo(logits[(i * width)..]);
    }

    private void Normalise(Rows x, NativeBuffer weight, Rows y, int rows)
    {
        for (var row = 0; row < rows; row++)
            VectorMath.RmsNorm(x.At(row), weight.Start, y.At(row), _hidden, (float)_config.RmsNormEps);
    }

    private static NativeBuffer Copy(torch.Tensor vector)
    {
        using (vector)
        {
            var copy = new NativeBuffer(vector.NumberOfElements);
            vector.ToSingles().CopyTo(new Span<float>(copy.Start, (int)copy.Length));
            return copy;
        }
    }

    /// <summary>A layer's weights.</summary>
    private sealed class Layer(LanguageLayer weights) : IDisposable
    {
        public NativeBuffer AttentionNorm { get; } = Copy(weights.AttentionNorm);

        public HostLinear Qkv { get; } = (HostLinear)weights.Qkv;

        public HostLinear Output { get; } = (HostLinear)weights.Output;

        public NativeBuffer FeedForwardNorm { get; } = Copy(weights.FeedForwardNorm);

        public HostLinear GateUp { get; } = (HostLinear)weights.GateUp;

        public HostLinear Down { get; } = (HostLinear)weights.Down;

        public void Dispose()
        {
            foreach (var part in (IDisposable[])[AttentionNorm, Qkv, Output, FeedForwardNorm, GateUp, Down])
                part.Dispose();
        }
    }

    /// <summary>A matrix of intermediate results.</summary>
    private sealed class Rows(int rows, int width) : IDisposable
    {
        private readonly NativeBuffer _buffer = new((long)rows * NativeBuffer.Padded(width));

        public int Stride { get; } = NativeBuffer.Padded(width);

        public float* Start => _buffer.Start;

        public float* At(int row) => _buffer.Start + (long)row * Stride;

        public void Dispose() => _buffer.Dispose();
    }

    /// <summary>All intermediate results of a step, for up to so many rows.</summary>
    private sealed class Scratch(CpuLanguageEngine engine, int rows) : IDisposable
    {
        private Rows? _logits;
        private int _logitRows;

        public int Rows => rows;

        public Rows X { get; } = new(rows, engine._hidden);

        public Rows Normal { get; } = new(rows, engine._hidden);

        public Rows Qkv { get; } = new(rows, engine._queries + 2 * engine._keys);

        public Rows Attended { get; } = new(rows, engine._queries);

        public Rows GateUp { get; } = new(rows, 2 * engine._inner);

        public Rows Gated { get; } = new(rows, engine._inner);

        /// <summary>Few of a step's rows want logits, and these are wide.</summary>
        public Rows Logits(int count, int width)
        {
            if (_logits is not null && count <= _logitRows)
                return _logits;
            _logits?.Dispose();
            _logitRows = Math.Max(count, 4);
            return _logits = new Rows(_logitRows, width);
        }

        public void Dispose()
        {
            foreach (var part in (Rows?[])[X, Normal, Qkv, Attended, GateUp, Gated, _logits])
                part?.Dispose();
        }
    }
}
