using System.Globalization;
using LightTts.Onnx;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>What the estimators' graphs are made of: weights of a checkpoint, layers, attention with a past, causal convolutions with a
/// tail.</summary>
/// <param name="reader">The flow's checkpoint, on the CPU.</param>
/// <param name="graph">Where nodes are added.</param>
/// <param name="shape">Of what is kept.</param>
/// <param name="pageFrames">Frames in a page.</param>
internal sealed class EstimatorGraph(WeightReader reader, OnnxGraph graph, FlowPageShape shape, int pageFrames)
{
    private const string Root = "decoder.estimator.";

    // Low enough for a weight of zero, and a number in 16-bit floating point, too.
    private const float Unseen = -10_000;

    private readonly List<string> _present = [];
    private string? _before; // frames before these
    private string? _mask;

    public OnnxGraph Graph => graph;

    /// <summary>Weights as they lie in the checkpoint.</summary>
    public string Weight(string name, params long[] dims)
    {
        using var tensor = reader.Take(Root + name, dims);
        return Weight(tensor);
    }

    /// <summary>Weights of an own arrangement.</summary>
    public string Weight(Tensor tensor)
    {
        using var contiguous = tensor.contiguous();
        return graph.Weight(contiguous.bytes.ToArray(), contiguous.shape);
    }

    /// <summary>Reads weights that are to be rearranged; in the caller's dispose scope.</summary>
    public Tensor Read(string name, params long[] dims) => reader.Take(Root + name, dims);

    /// <summary>x Wᵀ + b; [..., inputs] -> [..., outputs].</summary>
    public string Linear(string x, string name, long outputs, long inputs, bool bias = true)
    {
        using var weight = Read($"{name}.weight", outputs, inputs);
        return Product(x, weight, bias ? Weight($"{name}.bias", outputs) : null);
    }

    /// <summary>x Wᵀ + b.</summary>
    public string Product(string x, Tensor weight, string? bias)
    {
        using var transposed = weight.t();
        var product = graph.Node("MatMul", [x, Weight(transposed)]);
        return bias is null ? product : Add(product, bias);
    }

    public string Add(string a, string b) => graph.Node("Add", [a, b]);

    public string Multiply(string a, string b) => graph.Node("Mul", [a, b]);

    public string Concat(long axis, params string[] parts) => graph.Node("Concat", parts, ("axis", axis));

    public string Reshape(string x, params long[] dims) => graph.Node("Reshape", [x, graph.Integers(dims)]);

    public string Transpose(string x, params long[] order) => graph.Node("Transpose", [x], ("perm", order));

    public string Slice(string x, long axis, long start, long end) =>
        graph.Node("Slice", [x, graph.Integers(start), graph.Integers(end), graph.Integers(axis)]);

    /// <summary>One of an axis, which goes.</summary>
    public string Select(string x, long axis, long index) => graph.Node("Gather", [x, graph.Integer(index)], ("axis", axis));

    public string Silu(string x) => Multiply(x, graph.Node("Sigmoid", [x]));

    public string Mish(string x) => Multiply(x, graph.Node("Tanh", [graph.Node("Softplus", [x])]));

    /// <summary>The sinusoids of 1000 t, half sines, half cosines: [1] -> [1, 2 half].</summary>
    public string TimeAngles(string time, int half)
    {
        using var frequencies = exp(Scalars.Range(0, half, CPU).mul(Scalars.Of(-(Math.Log(10000) / (half - 1)))).unsqueeze(0));
        var angles = Multiply(Multiply(time, graph.Scalar(1000)), Weight(frequencies));
        return Concat(1, graph.Node("Sin", [angles]), graph.Node("Cos", [angles]));
    }

    /// <summary>Declares all inputs but the past and the tails.</summary>
    public void DeclareInputs(int melBands)
    {
        var mel = Dim(melBands);
        foreach (var input in (string[])[StreamingContract.X, StreamingContract.Mu, StreamingContract.Condition])
            graph.Input(input, "frames", mel);
        graph.Input(StreamingContract.Speaker, "1", mel);
        graph.Input(StreamingContract.Time, "1");
        graph.InputOfIntegers(StreamingContract.Chunk, "1");
    }

    /// <summary>Adds a convolution's left context, and hands the new one out.</summary>
    /// <param name="x">What it convolves.</param>
    /// <param name="number">The convolution's.</param>
    /// <param name="axis">The axis of frames.</param>
    /// <param name="frames">Frames of context.</param>
    /// <param name="dims">The context's shape.</param>
    public string WithTail(string x, int number, long axis, int frames, params string[] dims)
    {
        var joined = Concat(axis, graph.Input(StreamingContract.Tail(number), dims), x);
        graph.Output(Slice(joined, axis, -frames, long.MaxValue), StreamingContract.NextTail(number), dims);
        return joined;
    }

    /// <summary>Numbers of the frames, counted from the prompt's first: [n] of 64-bit integers.</summary>
    public string Positions()
    {
        var before = Before();
        return graph.Node("Range", [before, Add(before, Count(StreamingContract.X)), graph.Integer(1)]);
    }

    /// <summary>Attention to the past and to what the mask leaves of these frames.</summary>
    /// <param name="q">[2, Heads, n, HeadDim].</param>
    /// <param name="keysValues">[2 (keys, values), 2, Heads, n, HeadDim].</param>
    /// <returns>[2, n, Heads HeadDim]</returns>
    public string Attend(string q, string keysValues)
    {
        var layer = _present.Count;
        _present.Add(graph.Node("Unsqueeze", [keysValues, graph.Integers(0)]));
        // [P, 2, 2, Heads, Frames, HeadDim] -> [2, 2, Heads, P Frames, HeadDim]; there may be no page
        var pages = Transpose(Select(StreamingContract.Past, 1, layer), 1, 2, 3, 0, 4, 5);
        var dims = Concat(0, graph.Integers(2, 2, shape.Heads), Reshape(Before(), 1), graph.Integers(shape.HeadDim));
        var past = graph.Node("Reshape", [pages, dims], ("allowzero", 1L));
        var all = Concat(3, past, keysValues);
        var keys = Transpose(Select(all, 0, 0), 0, 1, 3, 2);
        var scores = graph.Node("MatMul", [Multiply(q, graph.Scalar((float)(1 / Math.Sqrt(shape.HeadDim)))), keys]);
        var weights = graph.Node("Softmax", [Add(scores, Mask())], ("axis", -1L));
        return Reshape(Transpose(graph.Node("MatMul", [weights, Select(all, 0, 1)]), 0, 2, 1, 3), 0, 0, (long)shape.Heads * shape.HeadDim);
    }

    /// <summary>Declares the past and hands out what is new of it; the last thing.</summary>
    public void Finish()
    {
        string[] heads = [Dim(shape.Heads), "frames", Dim(shape.HeadDim)];
        graph.Input(StreamingContract.Past, "pages", Dim(shape.Layers), "2", "2", heads[0], Dim(pageFrames), heads[2]);
        graph.Output(Concat(0, [.. _present]), StreamingContract.Present, Dim(shape.Layers), "2", "2", heads[0], heads[1], heads[2]);
    }

    public static string Dim(long value) => value.ToString(CultureInfo.InvariantCulture);

    private string Before() => _before ??= Multiply(Count(StreamingContract.Past), graph.Integer(pageFrames));

    /// <summary>What is added to the scores: [n, P Frames + n].</summary>
    private string Mask()
    {
        if (_mask is not null)
            return _mask;
        var ends = Multiply(Add(graph.Node("Div", [Positions(), StreamingContract.Chunk]), graph.Integer(1)), StreamingContract.Chunk);
        var keys = graph.Node("Range", [graph.Integer(0), Add(Before(), Count(StreamingContract.X)), graph.Integer(1)]);
        var seen = graph.Node("Less", [graph.Node("Unsqueeze", [keys, graph.Integers(0)]), graph.Node("Unsqueeze", [ends, graph.Integers(1)])]);
        return _mask = graph.Node("Where", [seen, graph.Scalar(0), graph.Scalar(Unseen)]);
    }

    /// <summary>The length of a value's first axis, a single number.</summary>
    private string Count(string value) => Select(graph.Node("Shape", [value]), 0, 0);
}
