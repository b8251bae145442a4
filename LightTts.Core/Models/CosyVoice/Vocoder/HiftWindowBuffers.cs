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
    /// <param name="copies">Whether rows are read from here; otherwise they are read where they lie.</param>
    public HiftWindowBuffers(int rows, int frames, HiftNetwork network, TorchDevice device, bool copies)
    {
        (Rows, Frames, Copies) = (rows, frames, copies);
        using var scope = NewDisposeScope();
        long samples = (long)frames * network.SamplesPerFrame, harmonics = network.Config.Harmonics + 1;
        Tensor Keep(Tensor tensor)
        {
            _all.Add(tensor.DetachFromDisposeScope());
            return tensor;
        }
        Tensor Make(ScalarType type, params long[] shape) => Keep(zeros(shape, type, device.Device));
        var copied = copies ? rows : 0;
        Mel = Make(ScalarType.Float32, copied, network.Config.MelBands, frames);
        Known = Make(ScalarType.Float64, copied, 1 + harmonics, frames);
        Noise = Make(ScalarType.Float32, copied, samples);
        Windows = Make(ScalarType.Int64, rows, VocoderWindow.Words);
        Pitch = Make(ScalarType.Float64, rows, 1 + harmonics, frames);
        Samples = Make(ScalarType.Float32, rows, samples);
        Counting = Keep(tensor([.. Enumerable.Range(0, copies ? (int)samples + network.Spectrum.Reach : 0).Select(at => (long)at)],
            device: device.Device));
        _host = zeros([rows, VocoderWindow.Words], ScalarType.Int64).DetachFromDisposeScope();
    }

    public int Rows { get; }

    public int Frames { get; }

    /// <summary>Whether <see cref="Mel"/>, <see cref="Known"/>, <see cref="Noise"/> and <see cref="Counting"/> have rows.</summary>
    public bool Copies { get; }

    /// <summary>[Rows, bands, Frames]; zeros behind a row's last frame.</summary>
    public Tensor Mel { get; }

    /// <summary>Frequencies, and turns summed from the utterance's beginning, of the frames that were determined before: [Rows, 1 + harmonics,
    /// Frames] in 64 bits.</summary>
    public Tensor Known { get; }

    /// <summary>[Rows, samples].</summary>
    public Tensor Noise { get; }

    /// <summary>[Rows, words]: a <see cref="VocoderWindow"/> each.</summary>
    public Tensor Windows { get; }

    /// <summary>As <see cref="Known"/>, of all frames.</summary>
    public Tensor Pitch { get; }

    /// <summary>The result, [Rows, samples].</summary>
    public Tensor Samples { get; }

    /// <summary>0, 1, 2, ... as far as there are samples, and a spectrum's reach beyond.</summary>
    public Tensor Counting { get; }

    /// <summary>The windows from these inputs to these results, where they were captured.</summary>
    public CudaGraph? Graph { get; set; }

    /// <summary>Empties them and sets the rows' <see cref="Windows"/>.</summary>
    public void Clear(ReadOnlySpan<VocoderWindow> rows)
    {
        if (Copies)
        {
            Mel.zero_();
            Known.zero_();
        }
        var windows = MemoryMarshal.Cast<byte, VocoderWindow>(_host.bytes);
        windows.Fill(new VocoderWindow { End = Frames });
        rows.CopyTo(windows);
        Windows.copy_(_host);
    }

    public void Dispose()
    {
        Graph?.Dispose();
        foreach (var tensor in _all)
            tensor.Dispose();
        _host.Dispose();
    }
}
