using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>What windows of one shape read and write, allocated once: every batch of that shape finds its inputs at the same addresses.</summary>
internal sealed class HiftWindowBuffers : IDisposable
{
    private readonly List<Tensor> _all = [];
    private readonly Tensor _host;

    /// <param name="rows">Windows.</param>
    /// <param name="frames">Frames of each, padding included.</param>
    /// <param name="network">Its sizes.</param>
    /// <param name="device">Where they lie.</param>
    public HiftWindowBuffers(int rows, int frames, HiftNetwork network, TorchDevice device)
    {
        (Rows, Frames) = (rows, frames);
        using var scope = NewDisposeScope();
        long samples = (long)frames * network.SamplesPerFrame, harmonics = network.Config.Harmonics + 1;
        Tensor Keep(Tensor tensor)
        {
            _all.Add(tensor.DetachFromDisposeScope());
            return tensor;
        }
        Tensor Make(ScalarType type, params long[] shape) => Keep(zeros(shape, type, device.Device));
        Mel = Make(ScalarType.Float32, rows, network.Config.MelBands, frames);
        Known = Make(ScalarType.Float64, rows, 1 + harmonics, frames);
        Noise = Make(ScalarType.Float32, rows, samples);
        Limits = Make(ScalarType.Int64, rows, 4);
        Pitch = Make(ScalarType.Float64, rows, 1 + harmonics, frames);
        Samples = Make(ScalarType.Float32, rows, samples);
        Counting = Keep(tensor([.. Enumerable.Range(0, (int)samples + network.Spectrum.Reach).Select(at => (long)at)], device: device.Device));
        _host = zeros([rows, 4], ScalarType.Int64).DetachFromDisposeScope();
    }

    public int Rows { get; }

    public int Frames { get; }

    /// <summary>[Rows, bands, Frames]; zeros behind a row's last frame.</summary>
    public Tensor Mel { get; }

    /// <summary>Frequencies, and turns summed from the utterance's beginning, of the frames that were determined before: [Rows, 1 + harmonics,
    /// Frames] in 64 bits.</summary>
    public Tensor Known { get; }

    /// <summary>[Rows, samples].</summary>
    public Tensor Noise { get; }

    /// <summary>[Rows, 4]: a <see cref="HiftWindowRow"/> each.</summary>
    public Tensor Limits { get; }

    /// <summary>As <see cref="Known"/>, of all frames.</summary>
    public Tensor Pitch { get; }

    /// <summary>The result, [Rows, samples].</summary>
    public Tensor Samples { get; }

    /// <summary>0, 1, 2, ... as far as there are samples, and a spectrum's reach beyond.</summary>
    public Tensor Counting { get; }

    /// <summary>The windows from these inputs to these results, where they were captured.</summary>
    public CudaGraph? Graph { get; set; }

    /// <summary>Empties them and sets the rows' <see cref="Limits"/>.</summary>
    public void Clear(IReadOnlyList<HiftWindowRow> rows)
    {
        Mel.zero_();
        Known.zero_();
        var limits = MemoryMarshal.Cast<byte, HiftWindowRow>(_host.bytes);
        for (var row = 0; row < Rows; row++)
            limits[row] = row < rows.Count ? rows[row] : new HiftWindowRow(0, Frames, 0, 0);
        Limits.copy_(_host);
    }

    public void Dispose()
    {
        Graph?.Dispose();
        foreach (var tensor in _all)
            tensor.Dispose();
        _host.Dispose();
    }
}

/// <summary>What a row's numbers mean, in frames of its window.</summary>
/// <param name="Known">How many pitches of it are known.</param>
/// <param name="End">Where the utterance ends, or the buffers.</param>
/// <param name="First">The first frame whose samples are wanted.</param>
/// <param name="Count">Where the window ends; none: nobody wants the row.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct HiftWindowRow(long Known, long End, long First, long Count);
