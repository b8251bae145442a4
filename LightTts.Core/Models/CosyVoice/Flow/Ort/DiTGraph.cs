using LightTts.Models.CosyVoice.Files;
using LightTts.Onnx;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>The diffusion transformer as a graph: what <see cref="DiT.DiTEstimator"/> computes of one utterance.</summary>
internal static class DiTGraph
{
    private const int ConvGroups = 16;
    private const int ConvKernel = 31;
    private const int TimeFrequencies = 256;
    private const float NormEps = 1e-6f;

    /// <summary>Adds the estimator.</summary>
    public static void Write(WeightReader reader, FlowConfig config, OnnxGraph graph)
    {
        var dit = config.Dit!;
        var shape = new FlowPageShape(dit.Depth, dit.Heads, dit.HeadDim);
        var net = new EstimatorGraph(reader, graph, shape, config.ChunkFrames);
        var mel = EstimatorGraph.Dim(config.MelBands);
        net.DeclareInputs(config.MelBands);
        var time = Time(net, dit);
        var h = Positional(net, dit, Embed(net, dit, config.MelBands));
        var (cos, sin) = Rotations(net, dit);
        for (var layer = 0; layer < dit.Depth; layer++)
            h = Block(net, dit, $"transformer_blocks.{layer}.", h, time, cos, sin);
        // Scale first here, shift first in the blocks.
        var final = Modulation(net, time, "norm_out.linear", dit.Dim, 2);
        h = Norm(net, h, final[0], final[1]);
        graph.Output(net.Linear(h, "proj_out", config.MelBands, dit.Dim), StreamingContract.Velocity, "2", "frames", mel);
        net.Finish();
    }

    /// <summary>SiLU of the time embedding, [1, Dim].</summary>
    private static string Time(EstimatorGraph net, DiTConfig dit)
    {
        var angles = net.TimeAngles(StreamingContract.Time, TimeFrequencies / 2);
        var hidden = net.Silu(net.Linear(angles, "time_embed.time_mlp.0", dit.Dim, TimeFrequencies));
        return net.Silu(net.Linear(hidden, "time_embed.time_mlp.2", dit.Dim, dit.Dim));
    }

    /// <summary>The input projection of both guidance rows, [2, n, Dim].</summary>
    private static string Embed(EstimatorGraph net, DiTConfig dit, int mel)
    {
        using var scope = NewDisposeScope();
        // Order of the concatenation: x, cond, mu, speaker.
        var weight = net.Read("input_embed.proj.weight", dit.Dim, 4 * mel);
        var bias = net.Weight("input_embed.proj.bias", dit.Dim);
        var x = net.Product(StreamingContract.X, weight.narrow(1, 0, mel), bias);
        var given = net.Product(net.Concat(1, StreamingContract.Condition, StreamingContract.Mu), weight.narrow(1, mel, 2 * mel), null);
        var speaker = net.Product(StreamingContract.Speaker, weight.narrow(1, 3 * mel, mel), null);
        var conditional = net.Add(x, net.Add(given, speaker));
        string Row(string row) => net.Graph.Node("Unsqueeze", [row, net.Graph.Integers(0)]);
        return net.Concat(0, Row(conditional), Row(x));
    }

    /// <summary>Adds two causal grouped convolutions of the projection.</summary>
    private static string Positional(EstimatorGraph net, DiTConfig dit, string h)
    {
        string Convolve(string x, int number)
        {
            var name = $"input_embed.conv_pos_embed.conv{number}.0.";
            var joined = net.WithTail(x, number - 1, 2, ConvKernel - 1, "2", EstimatorGraph.Dim(dit.Dim), EstimatorGraph.Dim(ConvKernel - 1));
            return net.Mish(net.Graph.Node("Conv",
                [joined, net.Weight(name + "weight", dit.Dim, dit.Dim / ConvGroups, ConvKernel), net.Weight(name + "bias", dit.Dim)],
                ("group", (long)ConvGroups), ("kernel_shape", new long[] { ConvKernel })));
        }

        var convolved = Convolve(Convolve(net.Transpose(h, 0, 2, 1), 1), 2);
        return net.Add(h, net.Transpose(convolved, 0, 2, 1));
    }

    /// <summary>Cosines and sines of the first head's rotation, [n, HeadDim / 2, 1] each.</summary>
    private static (string Cos, string Sin) Rotations(EstimatorGraph net, DiTConfig dit)
    {
        var positions = net.Graph.Node("Cast", [net.Positions()], ("to", 1L)); // 1: 32-bit floats
        var angles = net.Multiply(net.Reshape(positions, -1, 1), net.Weight("rotary_embed.inv_freq", dit.HeadDim / 2));
        angles = net.Graph.Node("Unsqueeze", [angles, net.Graph.Integers(2)]);
        return (net.Graph.Node("Cos", [angles]), net.Graph.Node("Sin", [angles]));
    }

    private static string Block(EstimatorGraph net, DiTConfig dit, string root, string h, string time, string cos, string sin)
    {
        long dim = dit.Dim, inner = (long)dit.Heads * dit.HeadDim, hidden = dim * dit.FeedForwardMultiple;
        // Shift, scale and gate of attention, then of the feed-forward part.
        var modulation = Modulation(net, time, root + "attn_norm.linear", dim, 6);
        string qkv;
        using (NewDisposeScope())
        {
            var weight = cat([.. "qkv".Select(c => net.Read($"{root}attn.to_{c}.weight", inner, dim))], 0);
            var bias = cat([.. "qkv".Select(c => net.Read($"{root}attn.to_{c}.bias", inner))], 0);
            qkv = net.Product(Norm(net, h, modulation[1], modulation[0]), weight, net.Weight(bias));
        }
        // [2, n, 3 Inner] -> [3, 2, Heads, n, HeadDim]
        var split = net.Transpose(net.Reshape(qkv, 0, 0, 3, dit.Heads, dit.HeadDim), 2, 0, 3, 1, 4);
        var rotated = Rotate(net, dit, net.Slice(split, 0, 0, 2), cos, sin);
        var keysValues = net.Concat(0, net.Slice(rotated, 0, 1, 2), net.Slice(split, 0, 2, 3));
        var attended = net.Linear(net.Attend(net.Select(rotated, 0, 0), keysValues), root + "attn.to_out.0", dim, inner);
        h = net.Add(h, net.Multiply(attended, modulation[2]));
        var up = net.Graph.Node("Gelu", [net.Linear(Norm(net, h, modulation[4], modulation[3]), root + "ff.ff.0.0", hidden, dim)],
            ("approximate", "tanh"));
        return net.Add(h, net.Multiply(net.Linear(up, root + "ff.ff.2", dim, hidden), modulation[5]));
    }

    /// <summary>Rotary positions on the first head's interleaved pairs. [2 (q, k), 2, Heads, n, HeadDim]</summary>
    private static string Rotate(EstimatorGraph net, DiTConfig dit, string qk, string cos, string sin)
    {
        var first = net.Graph.Node("Reshape", [net.Slice(qk, 2, 0, 1), net.Graph.Integers(2, 2, 1, -1, dit.HeadDim / 2, 2)]);
        var (even, odd) = (net.Slice(first, 5, 0, 1), net.Slice(first, 5, 1, 2));
        var real = net.Graph.Node("Sub", [net.Multiply(even, cos), net.Multiply(odd, sin)]);
        var imaginary = net.Add(net.Multiply(even, sin), net.Multiply(odd, cos));
        var rotated = net.Reshape(net.Concat(5, real, imaginary), 2, 2, 1, -1, dit.HeadDim);
        return dit.Heads == 1 ? rotated : net.Concat(2, rotated, net.Slice(qk, 2, 1, dit.Heads));
    }

    /// <summary>What the time adds, in parts of [Dim].</summary>
    private static string[] Modulation(EstimatorGraph net, string time, string name, long dim, int parts) =>
        net.Graph.Nodes("Split", parts, [net.Reshape(net.Linear(time, name, parts * dim, dim), -1)], ("axis", 0L), ("num_outputs", (long)parts));

    /// <summary>A layer norm without weights, times 1 + scale, plus shift: a layer norm with those as weights.</summary>
    private static string Norm(EstimatorGraph net, string x, string scale, string shift) =>
        net.Graph.Node("LayerNormalization", [x, net.Add(scale, net.Graph.Scalar(1)), shift], ("axis", -1L), ("epsilon", NormEps));
}
