using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder.Cuda;

/// <summary>A causal <see cref="HiftGenerator"/> over windows, in own kernels: numbers lie by time, and whatever follows a convolution is done where
/// its sums are.</summary>
/// <remarks>Residual blocks that stand side by side go as one launch, and so do the sources of all stages.</remarks>
internal sealed class CudaGenerator : IDisposable
{
    private readonly VocoderKernels _kernels;
    private readonly VocoderConfig _config;
    private readonly Device _device;
    private readonly CudaConv _pre;
    private readonly CudaConv _post;
    private readonly List<Stage> _stages = [];

    /// <param name="generator">Its weights are arranged anew, and not kept.</param>
    /// <param name="kernels">Stays the caller's.</param>
    /// <param name="config">Shapes.</param>
    /// <param name="device">Where.</param>
    public CudaGenerator(HiftGenerator generator, VocoderKernels kernels, VocoderConfig config, Device device)
    {
        (_kernels, _config, _device) = (kernels, config, device);
        var (pre, stages, post) = generator.Layers;
        _pre = new CudaConv(pre, kernels.Parts, left: 0);
        foreach (var stage in stages)
            _stages.Add(new Stage(stage, kernels.Parts));
        _post = new CudaConv(post, kernels.Parts, post.Context);
        Lead = stages.Max(stage => (int)stage.Layers.Down.Stride) - 1;
    }

    /// <summary>Frames of zeros before a source's spectrum.</summary>
    public int Lead { get; }

    /// <summary>Whether its kernels are for such a model.</summary>
    public static bool Takes(VocoderConfig config, int bins) =>
        2 * bins <= VocoderKernels.ChannelStep && config.ResBlockKernels.Length <= 3 && config.UpsampleRates.Length <= VocoderKernels.MostConvolutions
        && config.ResBlockDilations.Concat(config.SourceResBlockDilations).All(dilations => dilations.Length == config.ResBlockDilations[0].Length);

    /// <summary>Mel and source to the output's spectrum before its exponential and sine.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="mel">[rows, bands, n].</param>
    /// <param name="spectrum">Real and imaginary parts of the source's, [rows, 2 * bins, frames].</param>
    /// <returns>[rows, frames, 32], of which 2 * bins are meant.</returns>
    public Tensor Run(nint stream, Tensor mel, Tensor spectrum)
    {
        var (rows, columns) = ((int)mel.shape[0], (int)mel.shape[2]);
        var packed = Halves(rows, Lead + spectrum.shape[2], VocoderKernels.ChannelStep);
        _kernels.Pack(stream, (rows, (int)spectrum.shape[1], (int)spectrum.shape[2]), Lead, spectrum.Address(), packed.Address(), false);
        var sources = Sources(stream, rows, columns, packed);
        var x = Halves(rows, columns, _pre.Inputs);
        _kernels.Pack(stream, (rows, (int)mel.shape[1], columns), 0, mel.Address(), x.Address(), true);
        x = Alone(stream, _pre.Over(columns, columns) with { Slope = (float)_config.LeakyReluSlope }, x, rows);
        for (var i = 0; i < _stages.Count; i++)
        {
            var last = i == _stages.Count - 1;
            x = Run(stream, _stages[i], x, sources[i], last ? 0.01f : (float)_config.LeakyReluSlope);
        }
        columns = (int)x.shape[2];
        var result = Floats(rows, columns, _post.Channels);
        _kernels.Convolve(stream, rows, [Reading(_post.Over(columns, columns), x) with { Sums = result.Address() }]);
        return result;
    }

    public void Dispose()
    {
        _pre.Dispose();
        _post.Dispose();
        _stages.ForEach(stage => stage.Dispose());
    }

    private Tensor Halves(long rows, long columns, long channels) =>
        empty([_kernels.Parts, rows, columns, channels], ScalarType.Float16, _device);

    private Tensor Floats(params long[] shape) => empty(shape, ScalarType.Float32, _device);

    private static Convolution Reading(Convolution convolution, Tensor input) =>
        convolution with { Input = input.Address(), InputPart = input.numel() / input.shape[0] };

    private static Convolution Writing(Convolution convolution, Tensor output, nint alpha = 0) =>
        convolution with { First = new ConvolutionOutput(output.Address(), alpha), OutputPart = output.numel() / output.shape[0] };

    private Tensor Alone(nint stream, Convolution convolution, Tensor input, int rows)
    {
        var output = Halves(rows, convolution.Columns, convolution.Channels);
        _kernels.Convolve(stream, rows, [Writing(Reading(convolution, input), output)]);
        return output;
    }

    /// <summary>What the source adds at each stage: [rows, columns, channels].</summary>
    private List<Tensor> Sources(nint stream, int rows, int columns, Tensor spectrum)
    {
        var jobs = new Convolution[_stages.Count];
        List<Tensor> sums = [];
        List<Tensor> activated = [];
        for (var i = 0; i < jobs.Length; i++)
        {
            var stage = _stages[i];
            columns = columns * stage.Up.Rate + (i == jobs.Length - 1 ? 1 : 0);
            sums.Add(Floats(rows, columns, stage.Down.Channels));
            activated.Add(Halves(rows, columns, stage.Down.Channels));
            // Its first column ends with the spectrum's first frame.
            var skipped = (Lead + 1 - stage.Stride) * VocoderKernels.ChannelStep * sizeof(ushort);
            var job = Reading(stage.Down.Over(columns + stage.Down.Taps - 1, columns), spectrum);
            job = job with { Input = job.Input + skipped, InputRow = spectrum.shape[2] * spectrum.shape[3], Sums = sums[i].Address() };
            jobs[i] = Writing(job, activated[i], stage.Source.Layers[0].Alpha1.Address());
        }
        _kernels.Convolve(stream, rows, jobs);
        Blocks(stream, rows, [.. _stages.Select(stage => stage.Source)], sums, sums, activated);
        return sums;
    }

    // Input halves [rows, columns, channels] -> those of the next stage.
    private Tensor Run(nint stream, Stage stage, Tensor x, Tensor source, float slope)
    {
        var (rows, length, columns, channels) = ((int)x.shape[1], (int)x.shape[2], (int)source.shape[1], source.shape[2]);
        var input = Floats(rows, columns, channels);
        var sums = Floats(stage.Blocks.Count, rows, columns, channels);
        List<Tensor> activated = [.. stage.Blocks.Select(_ => Halves(rows, columns, channels))];
        ConvolutionOutput Output(int i) =>
            i < activated.Count ? new ConvolutionOutput(activated[i].Address(), stage.Blocks[i].Layers[0].Alpha1.Address()) : default;
        var up = Writing(Reading(stage.Up.Over(length, length), x), activated[0]) with
        {
            Shift = columns - length * stage.Up.Rate, Add = source.Address(), Sums = input.Address(), First = Output(0), Second = Output(1),
            Third = Output(2),
        };
        _kernels.Convolve(stream, rows, [up]);
        Blocks(stream, rows, stage.Blocks, [.. activated.Select(_ => input)], [.. activated.Select((_, i) => sums[i])], activated);
        var mean = Halves(rows, columns, channels);
        _kernels.Mean(stream, stage.Blocks.Count, input.numel(), slope, sums.Address(), mean.Address());
        return mean;
    }

    /// <summary>Residual blocks side by side.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="rows">Of each.</param>
    /// <param name="blocks">Of equally many layers.</param>
    /// <param name="inputs">[rows, columns, channels] of each.</param>
    /// <param name="results">The same; they may lie where the inputs do.</param>
    /// <param name="activated">The inputs, activated for the first layers; overwritten.</param>
    private void Blocks(nint stream, int rows, IReadOnlyList<Block> blocks, List<Tensor> inputs, List<Tensor> results, List<Tensor> activated)
    {
        // The longest first, so that they do not end last.
        var order = Enumerable.Range(0, blocks.Count).OrderByDescending(i => activated[i].numel() * blocks[i].Layers[0].First.Steps).ToArray();
        var between = activated.ConvertAll(each => empty_like(each));
        var jobs = new Convolution[blocks.Count];
        var layers = blocks[0].Layers.Count;
        for (var layer = 0; layer < layers; layer++)
        {
            foreach (var (at, i) in order.Index())
            {
                var (own, columns) = (blocks[i].Layers[layer], (int)activated[i].shape[2]);
                jobs[at] = Writing(Reading(own.First.Over(columns, columns), activated[i]), between[i], own.Alpha2.Address());
            }
            _kernels.Convolve(stream, rows, jobs);
            foreach (var (at, i) in order.Index())
            {
                var (own, columns) = (blocks[i].Layers[layer], (int)activated[i].shape[2]);
                var job = Reading(own.Second.Over(columns, columns), between[i]) with
                {
                    Add = (layer == 0 ? inputs : results)[i].Address(), Sums = results[i].Address(),
                };
                jobs[at] = layer + 1 < layers ? Writing(job, activated[i], blocks[i].Layers[layer + 1].Alpha1.Address()) : job;
            }
            _kernels.Convolve(stream, rows, jobs);
        }
    }

    private sealed class Block : IDisposable
    {
        public Block(VocoderResBlock block, int parts)
        {
            foreach (var (alpha1, conv1, alpha2, conv2) in block.Layers)
                Layers.Add((Snake(alpha1), new CudaConv(conv1, parts, conv1.Context), Snake(alpha2), new CudaConv(conv2, parts, conv2.Context)));
        }

        public List<(Tensor Alpha1, CudaConv First, Tensor Alpha2, CudaConv Second)> Layers { get; } = [];

        public void Dispose()
        {
            foreach (var (alpha1, first, alpha2, second) in Layers)
            {
                alpha1.Dispose();
                first.Dispose();
                alpha2.Dispose();
                second.Dispose();
            }
        }

        // [1, channels, 1] -> alpha and 1 / alpha of the padded channels.
        private static Tensor Snake(Tensor alpha)
        {
            using var scope = NewDisposeScope();
            var padded = nn.functional.pad(alpha.flatten(), [0, VocoderKernels.Padded(alpha.numel()) - alpha.numel()]);
            return cat([padded, padded.add(Scalars.Of(1e-9)).reciprocal_()]).DetachFromDisposeScope();
        }
    }

    private sealed class Stage : IDisposable
    {
        public Stage(HiftGenerator.Stage stage, int parts)
        {
            var (up, down, source, blocks) = stage.Layers;
            Up = new CudaConv(up.Layers.Conv, parts, up.Context, up.Layers.Rate);
            Down = new CudaConv(down, parts, left: 0);
            Stride = (int)down.Stride;
            Source = new Block(source, parts);
            Blocks = [.. blocks.Select(block => new Block(block, parts))];
        }

        public CudaConv Up { get; }

        public CudaConv Down { get; }

        public int Stride { get; }

        public Block Source { get; }

        public List<Block> Blocks { get; }

        public void Dispose()
        {
            Up.Dispose();
            Down.Dispose();
            Source.Dispose();
            Blocks.ForEach(block => block.Dispose());
        }
    }
}
