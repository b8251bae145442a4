using LightTts.Cuda;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times of the flow's own kernels, each kind alone, and of the libraries' products of the same sizes.</summary>
/// <param name="config">The transformer's shape.</param>
/// <param name="mel">Bands of the mel.</param>
/// <param name="device">Where they run, in bfloat16.</param>
/// <param name="seconds">For each measurement.</param>
internal sealed class FlowKernelMeasures(DiTConfig config, int mel, TorchDevice device, double seconds)
{
    private const int Frames = 50, Layers = 8; // weights of so many layers, so that they do not all lie in the second-level cache

    private readonly int _dim = config.Dim, _hidden = config.Dim * config.FeedForwardMultiple;

    /// <summary>Microseconds of a launch over 2 rows of blocks of frames, each of which sees so many keys.</summary>
    public IEnumerable<(string Kernel, Series Microseconds)> Of(int rows, int keys)
    {
        using var inference = inference_mode(true);
        using var scope = NewDisposeScope();
        var shape = new FlowKernelShape(_dim, config.Heads, _hidden, mel, Frames, BFloat16: true);
        if (OwnKernels.TryLoad(device, FlowKernels.Sources, shape.Definitions) is not { } module)
            throw new InvalidOperationException("There are no own kernels on this device.");
        using var kernels = new FlowKernels(module, shape, CudaDriver.SharedBytes(device.Device.index));
        if (kernels is not { Products: { } products, Attention: { } attention, Ends: { } ends })
            throw new InvalidOperationException("There are no own products for these sizes.");
        var stream = CudaStream.CurrentHandle(device.Device.index)!.Value;
        var count = 2 * rows * Frames;
        var columns = (keys + Frames - 1) / Frames + 3;
        Tensor Numbers(ScalarType type, params long[] sizes) => (randn(sizes, ScalarType.Float32, device.Device) * 0.05).to(type);
        Tensor Half(params long[] sizes) => Numbers(ScalarType.BFloat16, sizes);
        Tensor Single(params long[] sizes) => Numbers(ScalarType.Float32, sizes);
        var (h, scaled, moments) = (Single(count, _dim), Half(count, _dim), Single(count, _dim / 16).abs());
        var (qkv, attended, up, bias, vector) = (Half(count, 3 * _dim), Half(count, _dim), Half(count, _hidden), Half(3 * _dim),
            Single(3 * _dim));
        var turns = Single(rows * Frames, _dim / config.Heads);
        var pages = Half((long)rows * columns * 2 * Frames, 2 * _dim);
        var places = (arange((long)rows * columns, device: device.Device) * (2 * Frames)).view(rows, columns).contiguous();
        places.select(1, columns - 1).copy_(places.select(1, (keys - 1) / Frames)); // a block's own page is the last that it sees
        var seen = full([rows], keys, ScalarType.Int64, device.Device);
        Tensor[] Weights(long outputs, long inputs) => [.. Enumerable.Range(0, Layers).Select(_ => Half(outputs, inputs))];
        var (wQkv, wOut, wUp, wDown) = (Weights(3 * _dim, _dim), Weights(_dim, _dim), Weights(_hidden, _dim), Weights(_dim, _hidden));
        var convolution = Half(_dim, FlowEndKernels.Taps, _dim / FlowEndKernels.Groups);
        var x = new FlowProductKernels.Stream(h.Address(), scaled.Address(), moments.Address());
        FlowProductKernels.Normed Normed(Tensor weight) => new(weight.Address(), vector.Address(), vector.Address());
        FlowProductKernels.Added Added(Tensor weight) => new(weight.Address(), bias.Address(), vector.Address(), vector.Address());
        var blocks = new FlowEndKernels.Blocks(rows, Frames, 2 * _dim, places.Address(), columns);
        using var workspace = empty(CublasLtProducts.WorkspaceBytes, ScalarType.Byte, device.Device);
        using var library = CublasLtProducts.TryCreate(workspace.Address()) ?? throw new InvalidOperationException("There is no cuBLASLt.");
        void Library(Tensor input, Tensor weight, Tensor y, bool gelu = false) => library.Multiply(stream, input.Address(), weight.Address(),
            bias.Address(), y.Address(), (count, (int)weight.shape[1], (int)weight.shape[0]), gelu);
        void Plain(Tensor input, Tensor weight)
        {
            using var inner = NewDisposeScope();
            nn.functional.linear(input, weight, bias.narrow(0, 0, weight.shape[0]));
        }
        var norm = new FlowKernels.Norm(vector.Address(), vector.Address(), 1e-6f);
        FlowKernels.Gated Gated(Tensor branch) => new(branch.Address(), vector.Address());
        void Sum() => kernels.NormaliseSum(stream, count, h.Address(), Gated(attended), norm, scaled.Address());
        void Norm() => kernels.AddAndNormalise(stream, count, h.Address(), Gated(attended), Gated(scaled), norm, scaled.Address());
        List<(string Kernel, Action<int> Launch)> launches =
        [
            ("attend", _ => Attend()),
            ("convolve", _ => ends.Convolve(stream, blocks, pages.Address(), convolution.Address(), vector.Address(), pages.Address() + 2 * _dim)),
            ("library's project", i => Library(scaled, wQkv[i], qkv)),
            ("libtorch's project", i => Plain(scaled, wQkv[i])),
            ("library's out", i => Library(attended, wOut[i], scaled)),
            ("library's up and GELU", i => Library(scaled, wUp[i], up, gelu: true)),
            ("library's down", i => Library(up, wDown[i], scaled)),
            ("normalise a sum", _ => Sum()),
            ("add and normalise", _ => Norm()),
        ];
        void Attend() => attention.Launch(stream, (rows, Frames, columns), qkv.Address(), pages.Rows(), places.Address(), seen.Address(),
            attended.Address(), afterKernel: true);
        void Own(int i)
        {
            products.Project(stream, count, x, Normed(wQkv[i]), turns.Address(), places.Address(), columns, qkv.Address(),
                pages.Address(), 1e-6f);
            Attend();
            products.AddAttended(stream, count, attended.Address(), Added(wOut[i]), x);
            products.Up(stream, count, x, Normed(wUp[i]), up.Address(), 1e-6f);
            products.AddDown(stream, count, up.Address(), Added(wDown[i]), x);
        }
        void Turn() => kernels.Turn(stream, rows * Frames, qkv.Address(), turns.Address(), pages.Address(), places.Address(), columns);
        launches.AddRange(
        [
            ("turn", _ => Turn()),
            ("layer, library's products", i =>
            {
                Library(scaled, wQkv[i], qkv);
                Turn();
                Attend();
                Library(attended, wOut[i], scaled);
                Sum();
                Library(scaled, wUp[i], up, gelu: true);
                Library(up, wDown[i], scaled);
                Norm();
            }),
        ]);
        launches.Add(("convolve and add", _ => ends.ConvolveAdd(stream, blocks, pages.Address(), convolution.Address(), vector.Address(), x,
            vector.Address())));
        if (count <= products.MaxRows)
            launches.AddRange(
            [
                ("project", i => products.Project(stream, count, x, Normed(wQkv[i]), turns.Address(), places.Address(), columns, qkv.Address(),
                    pages.Address(), 1e-6f)),
                ("add attended", i => products.AddAttended(stream, count, attended.Address(), Added(wOut[i]), x)),
                ("up", i => products.Up(stream, count, x, Normed(wUp[i]), up.Address(), 1e-6f)),
                ("add down", i => products.AddDown(stream, count, up.Address(), Added(wDown[i]), x)),
                ("layer, own products", Own),
            ]);
        foreach (var (kernel, launch) in launches)
            yield return (kernel, CapturedLaunches.Time(stream, Layers, seconds, launch));
    }
}
