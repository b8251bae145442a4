using System.Buffers;
using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT.Cpu;

/// <summary>The two causal grouped convolutions of the input embedding (reference: CausalConvPositionEmbedding), a group after the other.</summary>
/// <remarks>With a group's channels side by side, the window that an output sees is one stretch of memory, and the next one begins a frame later: a
/// convolution is the product of a matrix with rows that overlap.</remarks>
internal sealed unsafe class CpuPositional : IDisposable
{
    private readonly PackedMatrix[][] _convolutions; // [2][groups]
    private readonly int _width;
    private readonly int _padded;
    private readonly int _tail;

    /// <param name="weights">Whose convolutions it takes over: they are kept once.</param>
    public CpuPositional(DiTWeights weights)
    {
        Groups = weights.Groups;
        _width = weights.Config.Dim / weights.Groups;
        _padded = NativeBuffer.Padded(_width);
        _tail = weights.ConvTail;
        _convolutions = [Pack(weights.Conv1, weights.Conv1Bias), Pack(weights.Conv2, weights.Conv2Bias)];
    }

    /// <summary>Groups of channels, each of which can be done by itself.</summary>
    public int Groups { get; }

    /// <summary>Adds a group's part to the projected input.</summary>
    /// <param name="group">Which one.</param>
    /// <param name="h">[count, Dim] of one guidance row of an utterance.</param>
    /// <param name="dim">Dim.</param>
    /// <param name="count">Frames.</param>
    /// <param name="before">Both convolutions' left contexts, [Dim, ConvTail] each; null at an utterance's beginning.</param>
    /// <param name="after">Where those of the next pass go; null where none follows.</param>
    public void Add(int group, float* h, int dim, int count, (nint First, nint Second) before, (nint First, nint Second) after)
    {
        var frames = _tail + count;
        var memory = ArrayPool<float>.Shared.Rent(frames * _width + count * _padded);
        fixed (float* input = memory)
        {
            var output = input + frames * _width;
            var from = h + group * _width;
            for (var convolution = 0; convolution < 2; convolution++)
            {
                Fill(input, (float*)(convolution == 0 ? before.First : before.Second), group);
                for (var frame = 0; frame < count; frame++)
                    Copy(convolution == 0 ? from + (long)frame * dim : output + frame * _padded, input + (_tail + frame) * _width);
                Keep(input + count * _width, (float*)(convolution == 0 ? after.First : after.Second), group);
                _convolutions[convolution][group].Multiply(input, _width, count, output, _padded, accumulate: false, threads: 1);
                TransformerMath.Mish(output, count * _padded);
            }
            for (var frame = 0; frame < count; frame++)
                for (var i = 0; i < _width; i++)
                    from[(long)frame * dim + i] += output[frame * _padded + i];
        }
        ArrayPool<float>.Shared.Return(memory);
    }

    public void Dispose()
    {
        foreach (var matrix in _convolutions.SelectMany(groups => groups))
            matrix.Dispose();
    }

    private PackedMatrix[] Pack(Tensor weight, Tensor bias)
    {
        // [Dim, Dim / groups, kernel] -> [Dim, kernel, Dim / groups]
        using var own = weight;
        using var windows = weight.transpose(1, 2).contiguous();
        float* from = windows.Pointer(), plus = bias.Pointer();
        var inputs = (_tail + 1) * _width;
        return [.. Enumerable.Range(0, Groups).Select(group =>
            new PackedMatrix(from + (long)group * _width * inputs, _width, inputs, plus + group * _width))];
    }

    private void Copy(float* from, float* to) => new ReadOnlySpan<float>(from, _width).CopyTo(new Span<float>(to, _width));

    private void Fill(float* input, float* tail, int group)
    {
        if (tail is null)
        {
            new Span<float>(input, _tail * _width).Clear();
            return;
        }
        for (var i = 0; i < _width; i++)
            for (var frame = 0; frame < _tail; frame++)
                input[frame * _width + i] = tail[(long)(group * _width + i) * _tail + frame];
    }

    private void Keep(float* end, float* tail, int group)
    {
        if (tail is null)
            return;
        for (var i = 0; i < _width; i++)
            for (var frame = 0; frame < _tail; frame++)
                tail[(long)(group * _width + i) * _tail + frame] = end[frame * _width + i];
    }
}
