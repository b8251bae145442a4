using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>The short-time spectra at both ends of the decoder (torch.stft and torch.istft,
/// centred, periodic Hann), as convolutions that go on from call to call.</summary>
internal sealed class VocoderSpectrum : IDisposable
{
    private readonly int _size;
    private readonly int _hop;
    private readonly int _sourceSlot;
    private readonly VocoderConv _forward; // [2 * bins, 1, size]
    private readonly VocoderConv _inverse; // [hop, 2 * bins, size / hop]
    private readonly Tensor _firstScale;
    private readonly Tensor _lastScale;

    public VocoderSpectrum(VocoderSlots slots, VocoderConfig config, Device device)
    {
        (_size, _hop, _sourceSlot) = (config.IstftSize, config.IstftHop, slots.Next());
        if (_size % _hop != 0 || _size / _hop < 2 || _size % 2 != 0)
            throw new TtsModelLoadException($"The vocoder's istft_params (n_fft {_size}, hop_len {_hop}) are not supported: n_fft must be even and a "
            + $"multiple of hop_len.");
        Bins = _size / 2 + 1;
        var overlap = _size / _hop;
        var window = new double[_size];
        for (var t = 0; t < _size; t++)
            window[t] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * t / _size));

        var forward = new float[2 * Bins * _size];
        var frame = new double[2 * Bins, _size]; // spectrum -> windowed frame; a real inverse ignores the imaginary ends
        for (var k = 0; k < Bins; k++)
        {
            var ends = k == 0 || 2 * k == _size;
            for (var t = 0; t < _size; t++)
            {
                var angle = 2 * Math.PI * (k * t % _size) / _size;
                forward[k * _size + t] = (float)(window[t] * Math.Cos(angle));
                forward[(Bins + k) * _size + t] = (float)(-window[t] * Math.Sin(angle));
                frame[k, t] = window[t] * Math.Cos(angle) * (ends ? 1 : 2) / _size;
                frame[Bins + k, t] = ends ? 0 : -window[t] * Math.Sin(angle) * 2 / _size;
            }
        }

        // Output group j (hop samples) sums a hop-wide part of each of the frames j - overlap + 1 .. j: the overlap-add as a convolution over frames.
        var inverse = new float[_hop * 2 * Bins * overlap];
        var firstScale = new float[_hop];
        var lastScale = new float[_hop];
        for (var r = 0; r < _hop; r++)
        {
            double Squares(int from, int to) => Enumerable.Range(from, to - from).Sum(i => window[i * _hop + r] * window[i * _hop + r]);
            var full = Squares(0, overlap);
            for (var c = 0; c < 2 * Bins; c++)
                for (var i = 0; i < overlap; i++)
                    inverse[(r * 2 * Bins + c) * overlap + (overlap - 1 - i)] = (float)(frame[c, i * _hop + r] / full);
            (firstScale[r], lastScale[r]) = ((float)(full / Squares(0, overlap - 1)), (float)(full / Squares(1, overlap)));
        }
        _forward = new VocoderConv(slots, TensorData.FromSingles(forward, device, 2 * Bins, 1, _size), null, stride: _hop);
        _inverse = new VocoderConv(slots, TensorData.FromSingles(inverse, device, _hop, 2 * Bins, overlap), null);
        LastScale = lastScale;
        _firstScale = TensorData.FromSingles(firstScale, device, 1, _hop, 1);
        _lastScale = TensorData.FromSingles(lastScale, device, 1, _hop, 1);
    }

    public int Bins { get; }

    public (int Bins, int Size, int Hop) Shape => (Bins, _size, _hop);

    /// <summary>[2 * bins, 1, size]; [hop, 2 * bins, size / hop], of the overlap-add as a convolution over frames; [1, hop, 1], what a first group's
    /// samples are multiplied with.</summary>
    internal (Tensor Forward, Tensor Inverse, Tensor FirstScale) Weights => (_forward.Weight, _inverse.Weight, _firstScale);

    /// <summary>What the utterance's last samples, beside whose edge fewer windows overlap, are to be multiplied with where a pass did not know that
    /// they are the last: at least 1 each.</summary>
    public float[] LastScale { get; }

    /// <summary>Samples of a frame of the source's spectrum that lie on either side of its own.</summary>
    public int Reach => _size / 2;

    /// <summary>Source samples [B, 1, n] -> real and imaginary parts [B, 2 * bins, frames]; what is left waits for the next call.</summary>
    public Tensor Forward(VocoderPass pass, Tensor source, long frames)
    {
        List<Tensor> parts = [source];
        if (pass.Tail(_sourceSlot) is { } tail)
            parts.Insert(0, tail);
        else
            parts.Insert(0, source.narrow(2, 1, _size / 2).flip(2));
        if (pass.Final)
        {
            var end = cat(parts, 2);
            parts = [end, end.narrow(2, end.shape[2] - 1 - _size / 2, _size / 2).flip(2)];
        }
        var joined = cat(parts, 2);
        var used = frames * _hop;
        pass.Keep(_sourceSlot, joined.narrow(2, used, joined.shape[2] - used).clone());
        return _forward.Valid(joined.narrow(2, 0, used - _hop + _size));
    }

    /// <summary>Real and imaginary parts [B, 2 * bins, frames] -> the samples [B, n] that no later frame touches.</summary>
    public Tensor Inverse(VocoderPass pass, Tensor spectrum)
    {
        if (pass.Final)
            spectrum = cat([spectrum, zeros([spectrum.shape[0], spectrum.shape[1], 1], spectrum.dtype, spectrum.device)], 2);
        var groups = _inverse.Run(pass, spectrum); // [B, hop, frames]
        if (pass.First)
        {
            var trim = _size / 2 / _hop;
            groups = groups.narrow(2, trim, groups.shape[2] - trim);
            // Beside the edges fewer windows overlap.
            groups.narrow(2, 0, 1).mul_(_firstScale);
        }
        if (pass.Final)
            groups.narrow(2, groups.shape[2] - 1, 1).mul_(_lastScale);
        return groups.transpose(1, 2).reshape(groups.shape[0], -1);
    }

    public void Dispose()
    {
        _forward.Dispose();
        _inverse.Dispose();
        _firstScale.Dispose();
        _lastScale.Dispose();
    }
}
