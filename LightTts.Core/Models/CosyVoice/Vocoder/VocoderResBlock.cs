using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Residual block of dilated convolutions with Snake activations (reference: hifigan ResBlock, BigVGAN's Snake).</summary>
internal sealed class VocoderResBlock : IDisposable
{
    private readonly List<(Snake Before1, VocoderConv Conv1, Snake Before2, VocoderConv Conv2)> _layers = [];
    private readonly Func<VocoderPass, Tensor, Snake, VocoderConv, Snake, VocoderConv, Tensor> _layer;

    public VocoderResBlock(VocoderSlots slots, WeightReader reader, string name, long channels, int kernel, int[] dilations,
        VocoderReach reach)
    {
        _layer = reader.Device.IsCuda ? Separate : Fused;
        for (var i = 0; i < dilations.Length; i++)
        {
            var (w1, b1) = VocoderConv.Fold(reader, $"{name}.convs1.{i}", channels, channels, kernel);
            var (w2, b2) = VocoderConv.Fold(reader, $"{name}.convs2.{i}", channels, channels, kernel);
            _layers.Add((new Snake(reader, $"{name}.activations1.{i}.alpha", channels),
                new VocoderConv(slots, w1, b1, dilation: dilations[i], reach: reach),
                new Snake(reader, $"{name}.activations2.{i}.alpha", channels), new VocoderConv(slots, w2, b2, reach: reach)));
        }
    }

    /// <summary>Its pairs of convolutions, each with the alphas of the activation before it.</summary>
    internal IEnumerable<(Tensor Alpha1, VocoderConv Conv1, Tensor Alpha2, VocoderConv Conv2)> Layers =>
        _layers.Select(layer => (layer.Before1.Alpha, layer.Conv1, layer.Before2.Alpha, layer.Conv2));

    /// <summary>Input steps beside the current one that an output depends on.</summary>
    public long Context => _layers.Sum(layer => layer.Conv1.Context + layer.Conv2.Context);

    /// <summary>[B, channels, n] -> the same.</summary>
    public Tensor Run(VocoderPass pass, Tensor input)
    {
        var x = input;
        foreach (var (before1, conv1, before2, conv2) in _layers)
        {
            using var scope = NewDisposeScope();
            var previous = x;
            x = _layer(pass, x, before1, conv1, before2, conv2).MoveToOuterDisposeScope();
            if (!ReferenceEquals(previous, input))
                previous.Dispose();
        }
        return x;
    }

    public void Dispose()
    {
        foreach (var (before1, conv1, before2, conv2) in _layers)
        {
            before1.Dispose();
            conv1.Dispose();
            before2.Dispose();
            conv2.Dispose();
        }
    }

    private static Tensor Separate(VocoderPass pass, Tensor x, Snake before1, VocoderConv conv1, Snake before2, VocoderConv conv2) =>
        conv2.Run(pass, before2.Run(conv1.Run(pass, before1.Run(x)))).PlusInPlace(x);

    // The activations are written straight behind the tails, the second one while the first convolution's result is in the cache.
    private static Tensor Fused(VocoderPass pass, Tensor input, Snake before1, VocoderConv conv1, Snake before2, VocoderConv conv2)
    {
        var x = input.contiguous();
        var first = conv1.Open(pass, x);
        var second = conv2.Open(pass, x);
        var result = empty_like(x);
        for (var row = 0; row < x.shape[0]; row++)
        {
            using var source = x[row];
            using var joined1 = first[row];
            using var joined2 = second[row];
            using var target = result[row];
            before1.Run(source, joined1, conv1.Left);
            conv1.Valid(joined1, joined2, conv2.Left, snake: before2.Simd);
            conv2.Valid(joined2, target, 0, add: source);
        }
        conv1.Close(pass, first);
        conv2.Close(pass, second);
        return result;
    }

    /// <summary>x + sin(a x)^2 / (a + 1e-9), a per channel.</summary>
    private sealed class Snake : IDisposable
    {
        private readonly Tensor _alpha;
        private readonly Tensor _inverse;

        public Snake(WeightReader reader, string key, long channels)
        {
            using var alpha = reader.Take(key, channels);
            _alpha = alpha.view(1, channels, 1).clone();
            _inverse = _alpha.add(Scalars.Of(1e-9)).reciprocal_();
            Simd = new SimdSnake(alpha.ToSingles());
        }

        public SimdSnake Simd { get; }

        /// <summary>[1, channels, 1].</summary>
        public Tensor Alpha => _alpha;

        public Tensor Run(Tensor x)
        {
            var sine = (x * _alpha).sin_();
            return x.addcmul(sine, sine * _inverse, Scalars.One);
        }

        /// <summary>On the CPU: [channels, n] -> the columns of <paramref name="result"/> from <paramref name="column"/> on.</summary>
        public unsafe void Run(Tensor x, Tensor result, long column)
        {
            var (channels, n, resultStride) = ((int)x.shape[0], (int)x.shape[1], result.shape[1]);
            if (n == 0)
                return;
            var from = x.Pointer();
            var to = result.Pointer() + column;
            SimdWork.Split(get_num_threads(), channels, 1, (first, last) => Simd.Run(from, n, to, resultStride, first, last, n));
        }

        public void Dispose()
        {
            _alpha.Dispose();
            _inverse.Dispose();
        }
    }
}
