using System.Numerics;
using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>What a decoding step of one shape reads and writes, allocated once: every
/// step of that shape finds its inputs at the same addresses.</summary>
/// <remarks>
/// That is what a CUDA graph of the step would ask for. All inputs go to the device in
/// one copy: [rows] table rows, [rows] positions, [rows] places in the cache to
/// write to, [rows * length] places to read from.
/// </remarks>
internal sealed class LanguageStepBuffers : IDisposable
{
    private readonly Tensor _host;
    private readonly Tensor _device;
    private readonly Tensor _hostLogits;

    public LanguageStepBuffers(int rows, int length, int logits, TorchDevice device)
    {
        (Rows, Length) = (rows, length);
        (_host, _hostLogits) = (Host([rows * (3L + length)], ScalarType.Int64, device), Host([rows, logits], ScalarType.Float32, device));
        // On the CPU, too: copies of a few kB, for which the GPU's way of going is tested everywhere.
        _device = empty([rows * (3L + length)], ScalarType.Int64, device.Device).DetachFromDisposeScope();
        Logits = empty([rows, logits], ScalarType.Float32, device.Device).DetachFromDisposeScope();
        Tensor Part(long start, long count) => _device.narrow(0, start, count).DetachFromDisposeScope();
        (Inputs, Positions, Write, Read) = (Part(0, rows), Part(rows, rows), Part(2L * rows, rows), Part(3L * rows, (long)rows * length));
    }

    /// <summary>Rows, padding included: a power of two.</summary>
    public int Rows { get; }

    /// <summary>Positions that each row reads, padding included.</summary>
    public int Length { get; }

    /// <summary>[rows] in the embedding table.</summary>
    public Tensor Inputs { get; }

    /// <summary>[rows], each input's position in its sequence; it sees no later one.</summary>
    public Tensor Positions { get; }

    /// <summary>[rows] where each row's keys and values go.</summary>
    public Tensor Write { get; }

    /// <summary>[rows * length] where each row's keys and values lie.</summary>
    public Tensor Read { get; }

    /// <summary>[rows, logits], the step's result.</summary>
    public Tensor Logits { get; }

    /// <summary>The step from these inputs to this result, where it was captured.</summary>
    public CudaGraph? Graph { get; set; }

    /// <summary>The inputs in main memory, to be filled before <see cref="Send"/>, in the order in which the remarks name them.</summary>
    public Span<long> Staging => MemoryMarshal.Cast<byte, long>(_host.bytes);

    /// <summary>The shape's rows for so many.</summary>
    public static int RowsFor(int rows) => (int)BitOperations.RoundUpToPowerOf2((uint)rows);

    /// <summary>The shape's length for so many positions: steps of 64 at first, of an eighth later.</summary>
    public static int LengthFor(int positions)
    {
        var step = Math.Max(64, (int)BitOperations.RoundUpToPowerOf2((uint)positions) / 16);
        return (positions + step - 1) / step * step;
    }

    /// <summary>Copies the staged inputs to the device.</summary>
    public void Send() => _device.copy_(_host, nonBlocking: true);

    /// <summary>Waits for the step and gives its logits, row-major.</summary>
    public ReadOnlySpan<float> Receive()
    {
        _hostLogits.copy_(Logits);
        return MemoryMarshal.Cast<byte, float>(_hostLogits.bytes);
    }

    public void Dispose()
    {
        Graph?.Dispose();
        foreach (var tensor in (Tensor[])[Inputs, Positions, Write, Read, Logits, _device, _hostLogits, _host])
            tensor.Dispose();
    }

    /// <summary>Memory that the device reads and writes by itself, where there is one.</summary>
    private static Tensor Host(long[] shape, ScalarType type, TorchDevice device)
    {
        var plain = zeros(shape, type);
        if (!device.IsCuda)
            return plain.DetachFromDisposeScope();
        using (plain)
            return plain.pin_memory().DetachFromDisposeScope();
    }
}
