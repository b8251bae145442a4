using LightTts.Cuda;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times of what a layer of the flow launches for whole utterances, each kind alone and the layer together.</summary>
/// <param name="config">The transformer's shape.</param>
/// <param name="mel">Bands of the mel.</param>
/// <param name="device">Where they run, in bfloat16.</param>
/// <param name="seconds">For each measurement.</param>
internal sealed class FlowWholeMeasures(DiTConfig config, int mel, TorchDevice device, double seconds)
{
    private const int Layers = 8; // weights of so many layers, so that they do not all lie in the second-level cache
    private const int PageFrames = 50;

    /// <summary>Microseconds of a launch over 2 rows of utterances of some frames.</summary>
    public IEnumerable<(string Kernel, Series Microseconds)> Of(int utterances, int frames)
    {
        using var inference = inference_mode(true);
        using var scope = NewDisposeScope();
        int dim = config.Dim, hidden = config.Dim * config.FeedForwardMultiple, count = 2 * utterances * frames;
        var shape = new FlowKernelShape(dim, config.Heads, hidden, mel, PageFrames, BFloat16: true);
        if (OwnKernels.TryLoad(device, FlowKernels.Sources, shape.Definitions) is not { } module)
            throw new InvalidOperationException("There are no own kernels on this device.");
        using var kernels = new FlowKernels(module, shape, CudaDriver.SharedBytes(device.Device.index));
        if (kernels is not { Attention: { } attention, Ends: { } ends })
            throw new InvalidOperationException("There are no own kernels for these sizes.");
        var stream = CudaStream.CurrentHandle(device.Device.index)!.Value;
        Tensor Half(params long[] sizes) => (randn(sizes, ScalarType.Float32, device.Device) * 0.05).to(ScalarType.BFloat16);
        Tensor Single(params long[] sizes) => randn(sizes, ScalarType.Float32, device.Device) * 0.05;
        var (h, input, seen, attended, down) = (Single(count, dim), Half(count, dim), Half(count, dim), Half(count, dim), Half(count, dim));
        var (qkv, up, bias, vector) = (Half(count, 3 * dim), Half(count, hidden), Half(3 * dim), Single(3 * dim));
        var (mels, toDim, fromDim) = (Single(count, mel), Single(dim, mel), Half(2, mel, dim));
        var turns = Single(utterances * frames, dim / config.Heads);
        var keys = full([utterances], frames, ScalarType.Int64, device.Device);
        Tensor[] Weights(long outputs, long inputs) => [.. Enumerable.Range(0, Layers).Select(_ => Half(outputs, inputs))];
        var (wQkv, wOut, wUp, wDown) = (Weights(3 * dim, dim), Weights(dim, dim), Weights(hidden, dim), Weights(dim, hidden));
        var convolution = Half(dim, FlowEndKernels.Taps, dim / FlowEndKernels.Groups);
        var blocks = new FlowEndKernels.Blocks(utterances, frames, dim, 0, 0);
        using var workspace = empty(CublasLtProducts.WorkspaceBytes, ScalarType.Byte, device.Device);
        using var library = CublasLtProducts.TryCreate(workspace.Address()) ?? throw new InvalidOperationException("There is no cuBLASLt.");
        void Multiply(Tensor x, Tensor weight, Tensor y, bool gelu = false) => library.Multiply(stream, x.Address(),
            weight.Address(), bias.Address(), y.Address(), (count, (int)weight.shape[1], (int)weight.shape[0]), gelu);
        var norm = new FlowKernels.Norm(vector.Address(), vector.Address(), 1e-6f);
        FlowKernels.Gated Gated(Tensor branch) => new(branch.Address(), vector.Address());
        void Turn() => kernels.Turn(stream, utterances * frames, qkv.Address(), turns.Address(), 0, 0, 0);
        void Attend() =>
            attention.Launch(stream, (utterances, frames, 0), qkv.Address(), default, 0, keys.Address(), seen.Address(), afterKernel: true);
        void Sum() => kernels.NormaliseSum(stream, count, h.Address(), Gated(attended), norm, input.Address());
        void Add() => kernels.AddAndNormalise(stream, count, h.Address(), Gated(attended), Gated(down), norm, input.Address());
        void Layer(int i)
        {
            Multiply(input, wQkv[i], qkv);
            Turn();
            Attend();
            Multiply(seen, wOut[i], attended);
            Sum();
            Multiply(input, wUp[i], up, gelu: true);
            Multiply(up, wDown[i], down);
            Add();
        }
        List<(string Kernel, Action<int> Launch)> launches =
        [
            ("turn", _ => Turn()), ("attend", _ => Attend()), ("normalise a sum", _ => Sum()), ("add and normalise", _ => Add()),
            ("convolve", _ => ends.Convolve(stream, blocks, input.Address(), convolution.Address(), vector.Address(), seen.Address())),
            ("embed", _ => ends.Embed(stream, blocks, mels.Address(), toDim.Address(), h.Address(), h.Address(), input.Address())),
            ("leave", _ => ends.Leave(stream, count, h.Address(), Gated(attended), Gated(down), norm, fromDim.Address(), vector.Address(),
                mels.Address())),
            ("project", i => Multiply(input, wQkv[i], qkv)), ("out", i => Multiply(seen, wOut[i], attended)),
            ("up and GELU", i => Multiply(input, wUp[i], up, gelu: true)), ("down", i => Multiply(up, wDown[i], down)), ("layer", Layer),
        ];
        foreach (var (kernel, launch) in launches)
            yield return (kernel, CapturedLaunches.Time(stream, Layers, seconds, launch));
    }
}
