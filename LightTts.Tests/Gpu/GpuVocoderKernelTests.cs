using LightTts.Cuda;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Models.CosyVoice.Vocoder.Cuda;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>The vocoder's own kernels, one by one, against libtorch's operations in 64 bits.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuVocoderKernelTests(ITestOutputHelper output)
{
    /// <summary>Convolutions of real and of odd shapes, of few and of many columns, in one and in two planes of halves.</summary>
    [Theory]
    [InlineData(1, 64, 64, 11, 5, 1, 1, 500)]
    [InlineData(2, 64, 64, 11, 5, 1, 1, 500)]
    [InlineData(2, 12, 20, 7, 3, 1, 2, 130)]
    [InlineData(1, 256, 256, 3, 1, 1, 1, 70)]
    [InlineData(2, 80, 18, 5, 1, 1, 3, 33)]
    [InlineData(2, 96, 40, 3, 1, 3, 2, 65)]
    [InlineData(1, 512, 256, 3, 1, 8, 1, 64)]
    [InlineData(2, 64, 64, 7, 1, 1, 4, 5000)]
    [InlineData(1, 128, 128, 7, 3, 1, 16, 4000)]
    public void Convolutions(int parts, int inputs, int outputs, int taps, int dilation, int rate, int rows, int columns)
    {
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        using var kernels = Load(device, parts);
        random.manual_seed(7);
        var weight = randn([outputs * rate, inputs, taps], device: device.Device).div_(Scalars.Of(Math.Sqrt(inputs * taps)));
        var bias = randn([outputs * rate], device: device.Device);
        using var conv = new VocoderConv(new VocoderSlots(), weight, bias, dilation: dilation);
        using var packed = new CudaConv(conv, parts, conv.Context, rate);
        var x = randn([rows, inputs, columns], device: device.Device);
        var halves = Packed(x, parts, 0);
        var y = zeros([rows, columns * rate, packed.Channels], device: device.Device);
        var activated = Halves(device, parts, rows, columns * rate, packed.Channels);
        kernels.Convolve(Stream(device), rows,
        [
            packed.Over(columns, columns) with
            {
                Input = halves.Address(), InputPart = halves.numel() / parts, Sums = y.Address(), Slope = 0.1f,
                First = new ConvolutionOutput(activated.Address(), 0), OutputPart = activated.numel() / parts,
            },
        ]);
        var expected = nn.functional.conv1d(x.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), 1, conv.Context,
            dilation).narrow(2, 0, columns).view(rows, outputs, rate, columns).permute(0, 3, 2, 1).reshape(rows, columns * rate, outputs);
        Equal("sums", expected, y.narrow(2, 0, outputs), parts == 1 ? 3e-3 : 3e-5);
        var leaky = nn.functional.leaky_relu(expected, 0.1);
        var read = activated.to(ScalarType.Float64).sum([0]).mul_(Scalars.Of(16L)).narrow(2, 0, outputs);
        Equal("activated", leaky, read, parts == 1 ? 4e-3 : 3e-5);
        Assert.Equal(0, y.narrow(2, outputs, packed.Channels - outputs).abs().sum().item<float>());
    }

    /// <summary>Frequencies in 64 bits, and turns behind those that are known already.</summary>
    [Theory]
    [InlineData(1, 9)]
    [InlineData(3, 70)]
    [InlineData(7, 96)]
    public void Pitches(int rows, int frames)
    {
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        using var kernels = Load(device, 1);
        var config = Vocoders.Config(24, 20);
        using var archive = PyTorchCheckpoint.Open(Repo.Golden("main/models/cosyvoice3-tiny/hift.pt"));
        using var network = HiftNetwork.Load(archive, config, device, new Vocoders.Weyl());
        using var own = new CudaPitch(network, kernels.Pitch, device.Device);
        using var buffers = new HiftWindowBuffers(rows, frames, network, device, copies: false);
        const int known = 5;
        random.manual_seed(9);
        var mel = randn([rows, config.MelBands, frames], device: device.Device);
        var pitches = rand([rows, 2 + config.Harmonics, known], ScalarType.Float64, device.Device).mul_(Scalars.Of(100L));
        buffers.Clear([.. Enumerable.Range(0, rows).Select(row => new VocoderWindow
        {
            Known = row == 0 ? 0 : known, End = frames, Count = frames, Mel = mel[row].Address(), MelStride = frames, Pitch = pitches[row].Address(),
            PitchStride = known,
        })]);
        var halves = Halves(device, 1, rows, frames, VocoderKernels.Padded(config.MelBands));
        var wide = zeros([rows, frames, own.Inputs], ScalarType.Float64, device.Device);
        kernels.Pack(Stream(device), (rows, config.MelBands, frames), buffers.Windows.Address(), halves.Address(), wide.Address());
        Equal("packed", mel.to(ScalarType.Float64).transpose(1, 2), wide.narrow(2, 0, config.MelBands), 0);
        Equal("halves", Packed(mel, 1, 0).to(ScalarType.Float64), halves, 0);
        using var pass = VocoderPass.Window(rows);
        var f0 = network.F0.Run(pass, nn.functional.pad(mel, [0, VocoderF0.LookRight]));
        own.Run(Stream(device), wide, buffers);
        for (var row = 0; row < rows; row++)
        {
            var first = row == 0 ? 0 : known;
            var (fresh, before) = (f0[row].narrow(1, first, frames - first), pitches[row]);
            var sums = network.Source.Turns(fresh.to(ScalarType.Float32).unsqueeze(0))[0].cumsum(1);
            if (first > 0)
                sums = sums.Plus(before.narrow(0, 1, config.Harmonics + 1).narrow(1, first - 1, 1));
            var expected = cat([before.narrow(1, 0, first), cat([fresh, sums], 0)], 1);
            // Rounding a frequency to 32 bits may fall to the other side; the turns that follow then differ by as much.
            Equal("pitch", expected, buffers.Pitch[row], 1e-4);
            Equal("frequencies", fresh, buffers.Pitch[row].narrow(0, 0, 1).narrow(1, first, frames - first), 1e-9);
        }
    }

    /// <summary>The whole generator with the golden fixtures' weights, against libtorch's operations.</summary>
    [Theory]
    [InlineData(1, 1, 9)]
    [InlineData(2, 2, 13)]
    public void Generators(int parts, int rows, int frames)
    {
        var device = TestDevice.Get();
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        using var kernels = Load(device, parts);
        var config = Vocoders.Config(24, 20);
        using var archive = PyTorchCheckpoint.Open(Repo.Golden("main/models/cosyvoice3-tiny/hift.pt"));
        using var network = HiftNetwork.Load(archive, config, device, new Vocoders.Weyl());
        using var own = new CudaGenerator(network.Decoder, kernels, config, network.Spectrum.Reach, device.Device);
        random.manual_seed(8);
        var mel = randn([rows, config.MelBands, frames], device: device.Device);
        var source = randn([rows, 2 * network.Spectrum.Bins, frames * network.Upsampling + 1], device: device.Device);
        using var buffers = new HiftWindowBuffers(rows, frames, network, device, copies: false);
        buffers.Clear([.. Enumerable.Range(0, rows).Select(_ => new VocoderWindow { End = frames, Count = frames })]);
        using var pass = VocoderPass.Window(rows);
        var expected = network.Decoder.Logarithms(pass, network.Decoder.Pre(pass, nn.functional.pad(mel, [0, config.ConvPreLookRight])), source);
        var actual = own.Run(Stream(device), Packed(mel, parts, 0), Packed(source, parts, own.Lead), buffers.Windows)
            .narrow(2, 0, expected.shape[1]).transpose(1, 2);
        Equal("logarithms", expected.to(ScalarType.Float64), actual, (parts == 1 ? 1e-2 : 1e-4) * expected.abs().max().item<float>());
    }

    /// <summary>[rows, channels, columns] -> halves [parts, rows, lead + columns, padded channels].</summary>
    private static Tensor Packed(Tensor x, int parts, int lead)
    {
        var channels = VocoderKernels.Padded(x.shape[1]);
        var sixteenth = nn.functional.pad(x.transpose(1, 2), [0, channels - x.shape[1], lead, 0]).mul(Scalars.Of(1.0 / 16)).contiguous();
        var high = sixteenth.to(ScalarType.Float16);
        return parts == 1 ? high.unsqueeze(0) : stack([high, sixteenth.Plus(high.to(ScalarType.Float32).neg()).to(ScalarType.Float16)]);
    }

    private static VocoderKernels Load(TorchDevice device, int parts)
    {
        var module = OwnKernels.TryLoad(device, VocoderKernels.Sources, VocoderKernels.Definitions(parts));
        Assert.SkipWhen(module is null && !device.IsCuda, "own kernels are for CUDA");
        Assert.NotNull(module);
        return new VocoderKernels(module, parts);
    }

    private static nint Stream(TorchDevice device) => CudaStream.CurrentHandle(device.Device.index) ?? 0;

    private static Tensor Halves(TorchDevice device, params long[] shape) => zeros(shape, ScalarType.Float16, device.Device);

    private void Equal(string what, Tensor expected, Tensor actual, double tolerance)
    {
        var worst = actual.to(ScalarType.Float64).Plus(expected.neg()).abs().max().item<double>();
        output.WriteLine($"{what}: {worst:E1} of {expected.abs().max().item<double>():F1}");
        Assert.InRange(worst, 0, tolerance);
    }
}
