using LightTts.Models.CosyVoice.Files;
using LightTts.Onnx;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>CosyVoice2's U-Net as a graph: what <see cref="UNet.UNetEstimator"/> computes of one utterance. Tails are numbered
/// as its slots.</summary>
internal sealed class UNetGraph
{
    private const int Kernel = 3;
    private const float NormEps = 1e-5f;

    private readonly EstimatorGraph _net;
    private readonly OnnxGraph _graph;
    private readonly UNetConfig _unet;
    private readonly int _mel;

    private UNetGraph(EstimatorGraph net, UNetConfig unet, int mel) => (_net, _graph, _unet, _mel) = (net, net.Graph, unet, mel);

    /// <summary>Adds the estimator.</summary>
    public static void Write(WeightReader reader, FlowConfig config, OnnxGraph graph)
    {
        var unet = config.UNet!;
        var shape = new FlowPageShape((unet.MidBlocks + 2) * unet.Blocks, unet.Heads, unet.HeadDim);
        new UNetGraph(new EstimatorGraph(reader, graph, shape, config.ChunkFrames), unet, config.MelBands).Write();
    }

    private void Write()
    {
        long channels = _unet.Channels, inputs = 4L * _mel, timeWidth = UNetConfig.TimeMultiple * channels;
        _net.DeclareInputs(_mel);
        var hidden = _net.Silu(_net.Linear(_net.TimeAngles(StreamingContract.Time, (int)inputs / 2), "time_mlp.linear_1", timeWidth, inputs));
        var time = _net.Mish(_net.Linear(hidden, "time_mlp.linear_2", timeWidth, timeWidth));
        var slots = 2 * (_unet.MidBlocks + 2);
        var skip = Level(Embed(), "down_blocks.0", inputs, time, 0);
        var h = Convolve(skip, "down_blocks.0.2", channels, channels, slots);
        for (var level = 1; level <= _unet.MidBlocks; level++)
            h = Level(h, $"mid_blocks.{level - 1}", channels, time, level);
        h = Level(_net.Concat(2, h, skip), "up_blocks.0", 2 * channels, time, _unet.MidBlocks + 1);
        h = Convolve(h, "up_blocks.0.2", channels, channels, slots + 1);
        h = Convolve(h, "final_block.block.0", channels, channels, slots + 2);
        h = _net.Mish(Norm(h, "final_block.block.2"));
        _graph.Output(Pointwise(h, "final_proj", _mel, channels), StreamingContract.Velocity, "2", "frames", EstimatorGraph.Dim(_mel));
        _net.Finish();
    }

    /// <summary>Both guidance rows' input, [2, n, 4 MelBands].</summary>
    private string Embed()
    {
        // Order of the concatenation: x, mu, speaker, cond.
        var speaker = _graph.Node("Expand", [StreamingContract.Speaker, _graph.Node("Shape", [StreamingContract.X])]);
        var given = _net.Concat(1, StreamingContract.Mu, speaker, StreamingContract.Condition);
        var nothing = _net.Multiply(given, _graph.Scalar(0));
        string Row(string rest) => _graph.Node("Unsqueeze", [_net.Concat(1, StreamingContract.X, rest), _graph.Integers(0)]);
        return _net.Concat(0, Row(given), Row(nothing));
    }

    private string Level(string x, string name, long inputs, string time, int index)
    {
        long channels = _unet.Channels;
        var added = _net.Linear(time, $"{name}.0.mlp.1", channels, UNetConfig.TimeMultiple * channels); // [1, Channels]
        var h = _net.Mish(Norm(Convolve(x, $"{name}.0.block1.block.0", channels, inputs, 2 * index), $"{name}.0.block1.block.2"));
        h = _net.Add(h, added);
        h = _net.Mish(Norm(Convolve(h, $"{name}.0.block2.block.0", channels, channels, 2 * index + 1), $"{name}.0.block2.block.2"));
        h = _net.Add(h, Pointwise(x, $"{name}.0.res_conv", channels, inputs));
        for (var block = 0; block < _unet.Blocks; block++)
            h = Block(h, $"{name}.1.{block}.");
        return h;
    }

    private string Block(string h, string root)
    {
        long channels = _unet.Channels, inner = (long)_unet.Heads * _unet.HeadDim, hidden = UNetConfig.FeedForwardMultiple * channels;
        string qkv;
        using (NewDisposeScope())
        {
            var weight = cat([.. "qkv".Select(c => _net.Read($"{root}attn1.to_{c}.weight", inner, channels))], 0);
            qkv = _net.Product(Norm(h, $"{root}norm1"), weight, null);
        }
        // [2, n, 3 Inner] -> [3, 2, Heads, n, HeadDim]
        var split = _net.Transpose(_net.Reshape(qkv, 0, 0, 3, _unet.Heads, _unet.HeadDim), 2, 0, 3, 1, 4);
        var attended = _net.Attend(_net.Select(split, 0, 0), _net.Slice(split, 0, 1, 3));
        h = _net.Add(h, _net.Linear(attended, $"{root}attn1.to_out.0", channels, inner));
        var up = _graph.Node("Gelu", [_net.Linear(Norm(h, $"{root}norm3"), $"{root}ff.net.0.proj", hidden, channels)], ("approximate", "none"));
        return _net.Add(h, _net.Linear(up, $"{root}ff.net.2", channels, hidden));
    }

    /// <summary>A causal convolution of three frames. [2, n, inputs] -> [2, n, outputs]</summary>
    private string Convolve(string x, string name, long outputs, long inputs, int slot)
    {
        var joined = _net.WithTail(x, slot, 1, Kernel - 1, "2", EstimatorGraph.Dim(Kernel - 1), EstimatorGraph.Dim(inputs));
        var convolved = _graph.Node("Conv",
            [_net.Transpose(joined, 0, 2, 1), _net.Weight($"{name}.weight", outputs, inputs, Kernel), _net.Weight($"{name}.bias", outputs)],
            ("kernel_shape", new long[] { Kernel }));
        return _net.Transpose(convolved, 0, 2, 1);
    }

    /// <summary>A convolution of one frame.</summary>
    private string Pointwise(string x, string name, long outputs, long inputs)
    {
        using var weight = _net.Read($"{name}.weight", outputs, inputs, 1);
        using var matrix = weight.view(outputs, inputs);
        return _net.Product(x, matrix, _net.Weight($"{name}.bias", outputs));
    }

    private string Norm(string x, string name) => _graph.Node("LayerNormalization",
        [x, _net.Weight($"{name}.weight", _unet.Channels), _net.Weight($"{name}.bias", _unet.Channels)], ("axis", -1L), ("epsilon", NormEps));
}
