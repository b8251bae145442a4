using System.Buffers;
using System.Runtime.Intrinsics;
using LightTts.Cpu;
using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language.Cpu;

/// <summary>Grouped-query attention of single positions over a paged cache in main memory: reads keys and values where they lie.</summary>
/// <remarks>
/// A block holds, for each key head, 16 keys with the positions side by side ([head size, 16], so that 16 scores are formed at once) and 16 values
/// ([16, head size]). A position sees its own sequence only and is computed by itself:
/// batch, padding and the size of prompt pieces cannot change a bit of it.
/// </remarks>
internal sealed unsafe class PagedAttention : IDisposable
{
    private const int Block = KvBlockPool.BlockSize;

    private readonly NativeBuffer[] _layers;
    private readonly int _kvHeads;
    private readonly int _shared;
    private readonly int _headDim;

    public PagedAttention(LanguageModelConfig config, int blocks)
    {
        _kvHeads = config.KvHeads;
        _shared = config.Heads / config.KvHeads;
        _headDim = config.HeadDim;
        _layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new NativeBuffer((long)blocks * _kvHeads * HeadFloats))];
    }

    // Keys and values of one head in one block.
    private int HeadFloats => 2 * Block * _headDim;

    /// <summary>Stores a position's key and value, each [kv heads, head size].</summary>
    public void Write(int layer, LanguageState state, int position, float* keys, float* values)
    {
        for (var head = 0; head < _kvHeads; head++)
        {
            var block = At(layer, state, position / Block, head);
            float* key = block + position % Block, value = block + (Block + position % Block) * _headDim;
            for (var d = 0; d < _headDim; d++)
            {
                key[d * Block] = keys[head * _headDim + d];
                value[d] = values[head * _headDim + d];
            }
        }
    }

    /// <summary>Attends to positions 0 to <paramref name="position"/>; for several positions side by side.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="state">Whose cache.</param>
    /// <param name="position">The query's position; its key and value are in the cache.</param>
    /// <param name="queries">[heads, head size].</param>
    /// <param name="output">[heads, head size].</param>
    public void Attend(int layer, LanguageState state, int position, float* queries, float* output)
    {
        int count = position + 1, blocks = (count + Block - 1) / Block;
        var memory = ArrayPool<float>.Shared.Rent(blocks * Block + _headDim);
        var scale = 1 / MathF.Sqrt(_headDim);
        fixed (float* scores = memory)
        {
            var query = scores + blocks * Block;
            for (var head = 0; head < _kvHeads * _shared; head++)
            {
                for (var d = 0; d < _headDim; d += 8)
                    (Vector256.Load(queries + head * _headDim + d) * scale).Store(query + d);
                for (var block = 0; block < blocks; block++)
                    Score(query, At(layer, state, block, head / _shared), scores + block * Block);
                var sum = VectorMath.ExpAndSum(scores, count);
                Mix(layer, state, head / _shared, scores, count, 1 / sum, output + head * _headDim);
            }
        }
        ArrayPool<float>.Shared.Return(memory);
    }

    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
    }

    private float* At(int layer, LanguageState state, int block, int kvHead) =>
        _layers[layer].Start + ((long)state.Blocks[block] * _kvHeads + kvHead) * HeadFloats;

    /// <summary>The products of the query and a block's 16 keys.</summary>
    private void Score(float* query, float* keys, float* scores)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> evens = default, odds = default;
            for (var d = 0; d < _headDim; d += 2)
            {
                var key = keys + d * Block;
                evens = Vector512.FusedMultiplyAdd(Vector512.Create(query[d]), Vector512.Load(key), evens);
                odds = Vector512.FusedMultiplyAdd(Vector512.Create(query[d + 1]), Vector512.Load(key + Block), odds);
            }
            (evens + odds).Store(scores);
            return;
        }
        Vector256<float> low0 = default, high0 = default, low1 = default, high1 = default;
        for (var d = 0; d < _headDim; d += 2)
        {
            var key = keys + d * Block;
            var even = Vector256.Create(query[d]);
            var odd = Vector256.Create(query[d + 1]);
            low0 = Vector256.FusedMultiplyAdd(even, Vector256.Load(key), low0);
            high0 = Vector256.FusedMultiplyAdd(even, Vector256.Load(key + 8), high0);
            low1 = Vector256.FusedMultiplyAdd(odd, Vector256.Load(key + Block), low1);
            high1 = Vector256.FusedMultiplyAdd(odd, Vector256.Load(key + Block + 8), high1);
        }

        (low0 + low1).Store(scores);
        (high0 + high1).Store(scores + 8);
    }

    /// <summary>The mean of the values, weighted by the scores.</summary>
    private void Mix(int layer, LanguageState state, int kvHead, float* scores, int count, float scale, float* output)
    {
        for (var d = 0; d < _headDim; d += 8)
            Vector256<float>.Zero.Store(output + d);
        for (var start = 0; start < count; start += Block)
        {
            var values = At(layer, state, start / Block, kvHead) + Block * _headDim;
            var inBlock = Math.Min(Block, count - start);
            var d = 0;
            // Several sums side by side, as one is not ready for the next product at once.
            for (; d + 32 <= _headDim; d += 32)
                Mix(values + d, scores + start, inBlock, output + d);
            for (; d < _headDim; d += 8)
            {
                var sum = Vector256.Load(output + d);
                for (var i = 0; i < inBlock; i++)
                    sum = Vector256.FusedMultiplyAdd(Vector256.Create(scores[start + i]), Vector256.Load(values + i * _headDim + d), sum);
                sum.Store(output + d);
            }
        }

        for (var d = 0; d < _headDim; d += 8)
            (Vector256.Load(output + d) * scale).Store(output + d);
    }

    /// <summary>32 numbers of a block's values, added to the output.</summary>
    private void Mix(float* values, float* scores, int count, float* output)
    {
        Vector256<float> sum0 = Vector256.Load(output), sum1 = Vector256.Load(output + 8), sum2 = Vector256.Load(output + 16),
            sum3 = Vector256.Load(output + 24);
        for (var i = 0; i < count; i++, values += _headDim)
        {
            var score = Vector256.Create(scores[i]);
            sum0 = Vector256.FusedMultiplyAdd(score, Vector256.Load(values), sum0);
            sum1 = Vector256.FusedMultiplyAdd(score, Vector256.Load(values + 8), sum1);
            sum2 = Vector256.FusedMultiplyAdd(score, Vector256.Load(values + 16), sum2);
            sum3 = Vector256.FusedMultiplyAdd(score, Vector256.Load(values + 24), sum3);
        }
        sum0.Store(output);
        sum1.Store(output + 8);
        sum2.Store(output + 16);
        sum3.Store(output + 24);
    }
}
