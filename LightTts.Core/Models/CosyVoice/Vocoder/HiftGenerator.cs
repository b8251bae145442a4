using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel and source spectrum to the output's spectrum (reference: decode of CausalHiFTGenerator or HiFTGenerator
/// between its two Fourier transforms).</summary>
internal sealed class HiftGenerator : IDisposable
{
    /// <summary>Of the last convolution, and of the first where that looks both ways.</summary>
    public const int OuterKernel = 7;

    /// <summary>Of the leaky activation before the last convolution.</summary>
    public const float LastSlope = 0.01f;

    private readonly VocoderConfig _config;
    private readonly VocoderConv _pre;
    private readonly VocoderConv _post;
    private readonly List<Stage> _stages = [];
    private readonly int _bins;
    private readonly bool _causal;

    /// <param name="slots">Gives the layers their slots.</param>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="bins">Frequencies of a spectrum.</param>
    /// <param name="reach">Past: causal, so that a mel can come in pieces; both: symmetric, for whole mels.</param>
    public HiftGenerator(VocoderSlots slots, WeightReader reader, VocoderConfig config, int bins, VocoderReach reach)
    {
        (_config, _bins, _causal) = (config, bins, reach == VocoderReach.Past);
        long channels = config.BaseChannels;
        var (weight, bias) = VocoderConv.Fold(reader, "conv_pre", channels, config.MelBands, _causal ? config.ConvPreLookRight + 1 : OuterKernel);
        _pre = new VocoderConv(slots, weight, bias, reach: _causal ? VocoderReach.Future : reach);
        for (var i = 0; i < config.UpsampleRates.Length; i++)
        {
            _stages.Add(new Stage(slots, reader, config, i, channels, 2 * bins, reach));
            channels /= 2;
        }
        (weight, bias) = VocoderConv.Fold(reader, "conv_post", 2 * bins, channels, OuterKernel);
        _post = new VocoderConv(slots, weight, bias, reach: reach);
    }

    /// <summary>Its layers, for those who compute them otherwise: the convolutions at its ends, and what lies between.</summary>
    internal (VocoderConv Pre, IReadOnlyList<Stage> Stages, VocoderConv Post) Layers => (_pre, _stages, _post);

    /// <summary>Frames before a sample's own that it depends on, those that F0 depends on left out: causal only.</summary>
    /// <param name="spectrumSamples">Source samples before its own that a frame of the source's spectrum depends on.</param>
    /// <returns>Of the mel, and of what each stage computes.</returns>
    public (int Mel, IReadOnlyList<int> Stages) ContextFrames(int spectrumSamples)
    {
        // Along the longest path, from the output back: in steps of each stage's rate.
        double frames = 0, longest = 0, rate = _config.UpsampleRates.Aggregate(1.0, (a, b) => a * b);
        var stages = new int[_stages.Count];
        frames += (OuterKernel - 1) / rate + 1; // the last convolution; the inverse transform reaches less than a frame
        for (var i = _stages.Count - 1; i >= 0; i--)
        {
            var (blocks, source, up) = _stages[i].Contexts;
            frames += blocks / rate;
            longest = Math.Max(longest, frames + source / rate + spectrumSamples / (rate * _config.IstftHop));
            stages[i] = (int)Math.Ceiling(longest) + 1;
            rate /= _config.UpsampleRates[i];
            frames += up / rate;
        }
        return ((int)Math.Ceiling(Math.Max(longest, frames)) + 1, stages);
    }

    /// <summary>Mel [B, bands, n] -> features [B, base channels, m] of the frames that
    /// are determined: causal, 4 fewer than so far, all at the end.</summary>
    public Tensor Pre(VocoderPass pass, Tensor mel)
    {
        if (_causal && pass.Final)
            mel = cat([mel, zeros([mel.shape[0], mel.shape[1], _pre.Context], mel.dtype, mel.device)], 2);
        return _pre.Run(pass, mel);
    }

    /// <summary>Features [B, base channels, m] and source spectrum [B, 2 * bins, frames] -> spectrum [B, 2 * bins, frames].</summary>
    public Tensor Run(VocoderPass pass, Tensor features, Tensor source)
    {
        var x = Logarithms(pass, features, source);
        var magnitude = x.narrow(1, 0, _bins).exp().clamp_max_(Scalars.Of(100L));
        var phase = x.narrow(1, _bins, _bins).sin();
        return cat([phase.cos().mul_(magnitude), phase.sin_().mul_(magnitude)], 1);
    }

    /// <summary>The same before its exponential and sine.</summary>
    public Tensor Logarithms(VocoderPass pass, Tensor features, Tensor source)
    {
        var x = features;
        for (var i = 0; i < _stages.Count; i++)
        {
            using var scope = NewDisposeScope();
            x = _stages[i].Run(pass, x.leaky_relu_(Scalars.Of(_config.LeakyReluSlope)), source,
                last: i == _stages.Count - 1).MoveToOuterDisposeScope();
        }
        return _post.Run(pass, x.leaky_relu_(Scalars.Of((double)LastSlope)));
    }

    public void Dispose()
    {
        _pre.Dispose();
        _post.Dispose();
        _stages.ForEach(stage => stage.Dispose());
    }

    /// <summary>Up-sampling, the source added, and residual blocks side by side.</summary>
    internal sealed class Stage : IDisposable
    {
        private readonly VocoderUpsample _up;
        private readonly VocoderConv _down;
        private readonly VocoderResBlock _sourceBlock;
        private readonly List<VocoderResBlock> _blocks = [];

        public Stage(VocoderSlots slots, WeightReader reader, VocoderConfig config, int index, long channels, long spectrum, VocoderReach reach)
        {
            var half = channels / 2;
            var (kernel, up) = (config.UpsampleKernels[index], config.UpsampleRates[index]);
            _up = reach == VocoderReach.Past ? VocoderUpsample.Nearest(slots, reader, $"ups.{index}", half, channels, kernel, up)
                : VocoderUpsample.Transposed(slots, reader, $"ups.{index}", half, channels, kernel, up);
            var rate = config.UpsampleRates[(index + 1)..].Aggregate(1, (a, b) => a * b);
            var weight = reader.Take($"source_downs.{index}.weight", half, spectrum, rate == 1 ? 1 : 2 * rate);
            _down = new VocoderConv(slots, weight, reader.Take($"source_downs.{index}.bias", half), stride: rate, reach: reach);
            _sourceBlock = new VocoderResBlock(slots, reader, $"source_resblocks.{index}", half, config.SourceResBlockKernels[index],
                config.SourceResBlockDilations[index], reach);
            for (var j = 0; j < config.ResBlockKernels.Length; j++)
            {
                var name = $"resblocks.{index * config.ResBlockKernels.Length + j}";
                _blocks.Add(new VocoderResBlock(slots, reader, name, half, config.ResBlockKernels[j], config.ResBlockDilations[j], reach));
            }
        }

        internal (VocoderUpsample Up, VocoderConv Down, VocoderResBlock SourceBlock, IReadOnlyList<VocoderResBlock> Blocks) Layers =>
            (_up, _down, _sourceBlock, _blocks);

        /// <summary>Steps beside the current one that an output depends on: the blocks' and the source's at the stage's rate, the up-sampling's at
        /// its input's.</summary>
        public (long Blocks, long Source, long Up) Contexts =>
            (_blocks.Max(block => block.Context), _sourceBlock.Context + 2 /* of the down-sampling, whose kernel is twice its stride */, _up.Context);

        public Tensor Run(VocoderPass pass, Tensor input, Tensor source, bool last)
        {
            var x = _up.Run(pass, input);
            // The source spectrum has one frame more than the mel's share, at the very start: the last stage mirrors one there.
            if (last && pass.First)
                x = cat([x.narrow(2, 1, 1), x], 2);
            x = _sourceBlock.Run(pass, _down.Run(pass, source)).PlusInPlace(x);
            var sum = _blocks[0].Run(pass, x);
            for (var j = 1; j < _blocks.Count; j++)
            {
                using var block = _blocks[j].Run(pass, x);
                sum.PlusInPlace(block);
            }
            return sum.div_(Scalars.Of((long)_blocks.Count));
        }

        public void Dispose()
        {
            _up.Dispose();
            _down.Dispose();
            _sourceBlock.Dispose();
            _blocks.ForEach(block => block.Dispose());
        }
    }
}
