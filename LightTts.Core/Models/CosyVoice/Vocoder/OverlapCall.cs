using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>One call over whole mels: source and spectrum at once, then the generator tile by tile.</summary>
/// <remarks>
/// A tile is computed with as many frames on either side as its layers look at, and only its own are kept: the result is that of one piece, but
/// a long mel needs no gigabytes, activations stay in the processor's cache, and others may overtake between tiles.
/// </remarks>
internal sealed class OverlapCall : IDisposable
{
    private readonly OverlapVocoder _vocoder;
    private readonly VocoderPass _pass;
    private readonly Tensor _source;
    private readonly Tensor _features;
    private readonly Tensor _spectrum;
    private readonly Tensor[] _tiles;
    private int _done;

    /// <param name="vocoder">Whose call.</param>
    /// <param name="mel">[B, bands, n].</param>
    /// <param name="starts">Of each row, where in the noise it begins.</param>
    /// <param name="known">The source of the first samples, from the call before: [B, 1, m]; or null.</param>
    public OverlapCall(OverlapVocoder vocoder, Tensor mel, ReadOnlySpan<long> starts, Tensor? known)
    {
        using var scope = NewDisposeScope();
        _vocoder = vocoder;
        // Of the machinery for causal layers in pieces, a call is one whole utterance.
        _pass = vocoder.NewPass(starts.Length);
        _source = vocoder.Source.Run(vocoder.F0.Run(_pass, mel), starts);
        if (known is not null)
            _source.narrow(2, 0, known.shape[2]).copy_(known);
        _features = vocoder.Generator.Pre(_pass, mel);
        _spectrum = vocoder.Spectrum.Forward(_pass, _source, _source.shape[2] / vocoder.Config.IstftHop + 1);
        _tiles = new Tensor[Math.Max(1, (mel.shape[2] + vocoder.TileFrames / 2) / vocoder.TileFrames)];
        foreach (var tensor in (Tensor[])[_source, _features, _spectrum])
            tensor.DetachFromDisposeScope();
    }

    /// <summary>Does one tile.</summary>
    /// <returns>Whether more follow.</returns>
    public bool Advance()
    {
        using var scope = NewDisposeScope();
        long frames = _features.shape[2], from = frames * _done / _tiles.Length, to = frames * (_done + 1) / _tiles.Length, up = _vocoder.Upsampling;
        long left = Math.Min(_vocoder.Margin, from), right = Math.Min(_vocoder.Margin, frames - to), count = to - from + left + right;
        // A copy of the features, as the generator changes its input.
        var tile = _vocoder.Generator.Run(_pass, _features.narrow(2, from - left, count).clone(),
            _spectrum.narrow(2, (from - left) * up, count * up + 1)); // the spectrum has one frame more than the mel's share
        var isLast = _done == _tiles.Length - 1;
        tile = tile.narrow(2, left * up, (to - from) * up + (isLast ? 1 : 0));
        _tiles[_done++] = tile.clone().DetachFromDisposeScope();
        return !isLast;
    }

    /// <summary>The result, in the caller's dispose scope; after the last tile.</summary>
    /// <returns>Samples [B, n SamplesPerFrame], and the source that they were made from, [B, 1, n SamplesPerFrame].</returns>
    public (Tensor Samples, Tensor Source) Finish()
    {
        var limit = _vocoder.Config.AudioLimit;
        var samples = _vocoder.Spectrum.Inverse(_pass, _tiles.Length == 1 ? _tiles[0] : cat(_tiles, 2));
        return (samples.clamp_(Scalars.Of(-limit), Scalars.Of(limit)), _source.alias());
    }

    public void Dispose()
    {
        foreach (var tensor in (Tensor?[])[_source, _features, _spectrum, .. _tiles])
            tensor?.Dispose();
        _pass.Dispose();
    }

    /// <summary>Frames on either side that a frame of the generator's output depends on, at the most.</summary>
    public static int MarginOf(VocoderConfig config)
    {
        static double Reach(int kernel, int[] dilations) => (kernel - 1) / 2 * dilations.Sum(dilation => dilation + 1);
        double margin = 0, rate = 1;
        for (var i = 0; i < config.UpsampleRates.Length; i++)
        {
            margin += (config.UpsampleKernels[i] / config.UpsampleRates[i] + 1) / rate;
            rate *= config.UpsampleRates[i];
            var blocks = config.ResBlockKernels.Zip(config.ResBlockDilations, Reach).Max();
            margin += (blocks + Reach(config.SourceResBlockKernels[i], config.SourceResBlockDilations[i]) + 1) / rate;
        }
        return (int)Math.Ceiling(margin + (HiftGenerator.OuterKernel + 1) / rate);
    }
}
