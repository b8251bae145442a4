using System.Runtime.InteropServices;
using Google.Protobuf;
using Proto = global::Onnx;

namespace LightTts.Onnx;

/// <summary>Writes an ONNX model node by node. A value is known by its name; names that nobody chose are numbers.</summary>
internal sealed class OnnxGraph
{
    private const int Opset = 20;
    private const int IrVersion = 9;

    private readonly Proto.GraphProto _graph = new();
    private readonly Proto.ModelProto _model;
    private readonly Dictionary<string, string> _constants = [];
    private int _last;

    public OnnxGraph(string name, string producer)
    {
        _graph.Name = name;
        _model = new Proto.ModelProto { IrVersion = IrVersion, ProducerName = producer, Graph = _graph };
        _model.OpsetImport.Add(new Proto.OperatorSetIdProto { Domain = "", Version = Opset });
    }

    /// <summary>Notes something beside the model.</summary>
    public void Note(string key, string value) => _model.MetadataProps.Add(new Proto.StringStringEntryProto { Key = key, Value = value });

    /// <summary>An input of 32-bit floats.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Numbers, or names of what may vary.</param>
    public string Input(string name, params ReadOnlySpan<string> shape) => Input(name, Proto.TensorProto.Types.DataType.Float, shape);

    /// <summary>An input of 64-bit integers.</summary>
    public string InputOfIntegers(string name, params ReadOnlySpan<string> shape) => Input(name, Proto.TensorProto.Types.DataType.Int64, shape);

    /// <summary>Makes a value an output of 32-bit floats.</summary>
    public void Output(string value, string name, params ReadOnlySpan<string> shape)
    {
        Add("Identity", [value], [name], []);
        _graph.Output.Add(Info(name, Proto.TensorProto.Types.DataType.Float, shape));
    }

    /// <summary>Weights, row-major.</summary>
    public string Weight(byte[] singles, params long[] shape)
    {
        var tensor = new Proto.TensorProto
        {
            Name = Next(),
            DataType = (int)Proto.TensorProto.Types.DataType.Float,
            RawData = UnsafeByteOperations.UnsafeWrap(singles),
        };
        tensor.Dims.AddRange(shape);
        _graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>A single 32-bit float.</summary>
    public string Scalar(float value) =>
        Constant($"f{value:R}", () => Weight(MemoryMarshal.AsBytes<float>([value]).ToArray()));

    /// <summary>A list of 64-bit integers.</summary>
    public string Integers(params long[] values) => Constant("i" + string.Join(',', values), () => Integers(values, [values.Length]));

    /// <summary>A single 64-bit integer.</summary>
    public string Integer(long value) => Constant($"s{value}", () => Integers([value], []));

    /// <summary>An operation with one result.</summary>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes) =>
        Nodes(operation, 1, inputs, attributes)[0];

    /// <summary>An operation with several results.</summary>
    public string[] Nodes(string operation, int results, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var names = new string[results];
        for (var i = 0; i < results; i++)
            names[i] = Next();
        Add(operation, inputs, names, attributes);
        return names;
    }

    /// <summary>Writes the model; the file is there whole or not at all.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path)
    {
        var temporary = path + "." + Path.GetRandomFileName();
        try
        {
            using (var file = File.Create(temporary))
            using (var output = new CodedOutputStream(file, 1 << 20))
                _model.WriteTo(output);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private string Input(string name, Proto.TensorProto.Types.DataType type, ReadOnlySpan<string> shape)
    {
        _graph.Input.Add(Info(name, type, shape));
        return name;
    }

    private void Add(string operation, string[] inputs, string[] outputs, (string Name, object Value)[] attributes)
    {
        var node = new Proto.NodeProto { OpType = operation, Name = $"{operation}_{_graph.Node.Count}" };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        foreach (var (name, value) in attributes)
            node.Attribute.Add(Attribute(name, value));
        _graph.Node.Add(node);
    }

    private string Integers(long[] values, long[] shape)
    {
        var tensor = new Proto.TensorProto
        {
            Name = Next(),
            DataType = (int)Proto.TensorProto.Types.DataType.Int64,
            RawData = UnsafeByteOperations.UnsafeWrap(MemoryMarshal.AsBytes<long>(values).ToArray()),
        };
        tensor.Dims.AddRange(shape);
        _graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private string Constant(string key, Func<string> make)
    {
        if (!_constants.TryGetValue(key, out var name))
            _constants[key] = name = make();
        return name;
    }

    private string Next() => (++_last).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static Proto.AttributeProto Attribute(string name, object value)
    {
        var attribute = new Proto.AttributeProto { Name = name };
        switch (value)
        {
            case long number:
                (attribute.Type, attribute.I) = (Proto.AttributeProto.Types.AttributeType.Int, number);
                break;
            case float number:
                (attribute.Type, attribute.F) = (Proto.AttributeProto.Types.AttributeType.Float, number);
                break;
            case string text:
                (attribute.Type, attribute.S) = (Proto.AttributeProto.Types.AttributeType.String, ByteString.CopyFromUtf8(text));
                break;
            case long[] numbers:
                attribute.Type = Proto.AttributeProto.Types.AttributeType.Ints;
                attribute.Ints.AddRange(numbers);
                break;
            case Proto.TensorProto.Types.DataType type:
                (attribute.Type, attribute.I) = (Proto.AttributeProto.Types.AttributeType.Int, (long)type);
                break;
            default:
                throw new ArgumentException($"No attribute can be a {value.GetType()}.", nameof(value));
        }
        return attribute;
    }

    private static Proto.ValueInfoProto Info(string name, Proto.TensorProto.Types.DataType type, ReadOnlySpan<string> shape)
    {
        var dimensions = new Proto.TensorShapeProto();
        foreach (var dimension in shape)
            dimensions.Dim.Add(long.TryParse(dimension, System.Globalization.CultureInfo.InvariantCulture, out var number)
                ? new Proto.TensorShapeProto.Types.Dimension { DimValue = number }
                : new Proto.TensorShapeProto.Types.Dimension { DimParam = dimension });
        return new Proto.ValueInfoProto
        {
            Name = name,
            Type = new Proto.TypeProto { TensorType = new Proto.TypeProto.Types.Tensor { ElemType = (int)type, Shape = dimensions } },
        };
    }
}
