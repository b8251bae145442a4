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
    private readonly IReadOnlyList<int> _contexts; // frames before those that are wanted, of each stage

    /// <param name="generator">Its weights are arranged anew, and not kept.</param>
    /// <param name="kernels">Stays the caller's.</param>
    /// <param name="config">Shapes.</param>
    /// <param name="reach">Source samples before its own that a frame of the source's spectrum depends on.</param>
    /// <param name="device">Where.</param>
    public CudaGenerator(HiftGenerator generator, VocoderKernels kernels, VocoderConfig config, int reach, Device device)
    {
        (_kernels, _config, _device, _contexts) = (kernels, config, device, generator.ContextFrames(reach).Stages);
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
    public static bool Takes(VocoderConfig config, int bins)
    {
        var blocks = config.ResBlockKernels.Zip(config.ResBlockDilations).Concat(config.SourceResBlockKernels.Zip(config.SourceResBlockDilations));
        return 2 * bins <= VocoderKernels.ChannelStep && config.ResBlockKernels.Length <= 3
            && config.UpsampleRates.Length <= VocoderKernels.MostConvolutions && config.ConvPreLookRight <= VocoderKernels.MostReach
            && blocks.All(block => block.Second.Length == config.ResBlockDilations[0].Length
                && block.Second.All(dilation => (block.First - 1) * dilation <= VocoderKernels.MostReach));
    }

    /// <summary>Numbers of a mel's frame, padded.</summary>
    public int Inputs => _pre.Inputs;

    /// <summary>Mel and source to the output's spectrum before its exponential and sine.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="mel">[parts, rows, n, inputs] in halves.</param>
    /// <param name="spectrum">Real and imaginary parts of the source's, [parts, rows, lead + frames, 32] in halves.</param>
    /// <param name="windows">A <see cref="VocoderWindow"/> for each row: what nobody wants may be left out.</param>
    /// <returns>[rows, frames, 32], of which 2 * bins are meant.</returns>
    public Tensor Run(nint stream, Tensor mel, Tensor spectrum, Tensor windows)
    {
        var (rows, columns) = ((int)mel.shape[1], (int)mel.shape[2]);
        var rate = 1;
        var work = new Work(stream, rows, windows.Address(), [.. _stages.Select((stage, i) => (rate *= stage.Up.Rate, _contexts[i]))]);
        var sources = Sources(work, columns, spectrum);
        var x = Halves(rows, columns, _pre.Channels);
        var pre = work.Limited(Writing(Reading(_pre.Over(columns, columns), mel), x), null);
        _kernels.Convolve(stream, rows, [pre with { Slope = (float)_config.LeakyReluSlope }]);
        for (var i = 0; i < _stages.Count; i++)
        {
            var last = i == _stages.Count - 1;
            x = Run(work, i, x, sources[i], last ? HiftGenerator.LastSlope : (float)_config.LeakyReluSlope);
        }
        columns = (int)x.shape[2];
        var result = Floats(rows, columns, _post.Channels);
        _kernels.Convolve(stream, rows, [work.Limited(Reading(_post.Over(columns, columns), x) with { Sums = result.Address() }, _stages.Count - 1)]);
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

    /// <summary>What the source adds at each stage: [rows, columns, channels].</summary>
    private List<Tensor> Sources(Work work, int columns, Tensor spectrum)
    {
        var rows = work.Rows;
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
            jobs[i] = work.Limited(Writing(job, activated[i], stage.Source.Layers[0].Alpha1.Address()), i);
        }
        _kernels.Convolve(work.Stream, rows, jobs);
        Blocks(work, [.. _stages.Select((stage, i) => (stage.Source, i))], sums, sums, activated);
        return sums;
    }

    // Input halves [rows, columns, channels] -> those of the next stage.
    private Tensor Run(Work work, int number, Tensor x, Tensor source, float slope)
    {
        using var scope = NewDisposeScope();
        var (stage, rows, length, columns, channels) = (_stages[number], work.Rows, (int)x.shape[2], (int)source.shape[1], source.shape[2]);
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
        _kernels.Convolve(work.Stream, rows, [work.Limited(up, number)]);
        Blocks(work, stage.Blocks.ConvertAll(block => (block, number)), activated.ConvertAll(_ => input), [.. activated.Select((_, i) => sums[i])],
            activated);
        var mean = Halves(rows, columns, channels);
        _kernels.Mean(work.Stream, stage.Blocks.Count, input.numel(), slope, sums.Address(), mean.Address());
        return mean.MoveToOuterDisposeScope();
    }

    /// <summary>Residual blocks side by side.</summary>
    /// <param name="work">Where.</param>
    /// <param name="blocks">Of equally many layers, and the stages that they are of.</param>
    /// <param name="inputs">[rows, columns, channels] of each.</param>
    /// <param name="results">The same; they may lie where the inputs do.</param>
    /// <param name="activated">The inputs, activated for the first layers; overwritten.</param>
    private void Blocks(Work work, List<(Block Block, int Stage)> blocks, List<Tensor> inputs, List<Tensor> results, List<Tensor> activated)
    {
        using var scope = NewDisposeScope();
        // The longest first, so that they do not end last.
        var order = Enumerable.Range(0, blocks.Count).OrderByDescending(i => activated[i].numel() * blocks[i].Block.Layers[0].First.Steps).ToArray();
        var between = activated.ConvertAll(each => empty_like(each));
        var jobs = new Convolution[blocks.Count];
        var layers = blocks[0].Block.Layers.Count;
        for (var layer = 0; layer < layers; layer++)
        {
            foreach (var (at, i) in order.Index())
            {
                var (own, columns) = (blocks[i].Block.Layers[layer], (int)activated[i].shape[2]);
                var job = Writing(Reading(own.First.Over(columns, columns), activated[i]), between[i], own.Alpha2.Address());
                jobs[at] = work.Limited(job, blocks[i].Stage);
            }
            _kernels.Convolve(work.Stream, work.Rows, jobs);
            foreach (var (at, i) in order.Index())
            {
                var (own, columns) = (blocks[i].Block.Layers[layer], (int)activated[i].shape[2]);
                var job = work.Limited(Reading(own.Second.Over(columns, columns), between[i]), blocks[i].Stage) with
                {
                    Add = (layer == 0 ? inputs : results)[i].Address(), Sums = results[i].Address(),
                };
                jobs[at] = layer + 1 < layers ? Writing(job, activated[i], blocks[i].Block.Layers[layer + 1].Alpha1.Address()) : job;
            }
            _kernels.Convolve(work.Stream, work.Rows, jobs);
        }
    }

    /// <summary>A run, and what rows want of it.</summary>
    /// <param name="Stream">Where.</param>
    /// <param name="Rows">How many.</param>
    /// <param name="Windows">A <see cref="VocoderWindow"/> for each.</param>
    /// <param name="Stages">Columns of a frame, and frames before those that are wanted.</param>
    private sealed record Work(nint Stream, int Rows, nint Windows, IReadOnlyList<(int Rate, int Context)> Stages)
    {
        /// <summary>Leaves out columns of a stage that nobody wants; without one, those behind a row's end.</summary>
        public Convolution Limited(Convolution job, int? stage)
        {
            var (rate, context) = stage is { } number ? Stages[number] : (1, HiftWindowVocoder.LongestWindow);
            var columns = rate / job.Rate;
            return job with { Windows = Windows, FrameColumns = columns, Context = context * columns };
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
