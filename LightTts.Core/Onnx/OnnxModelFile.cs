using System.Text;

namespace LightTts.Onnx;

/// <summary>Looks into a model's file without reading its weights: enough to tell a whole model from half of one, a web page, or another
/// model.</summary>
/// <remarks>Field numbers and wire types are those of onnx.proto (ModelProto, GraphProto, ValueInfoProto, TensorProto).</remarks>
internal sealed class OnnxModelFile
{
    private const int Graph = 7;                                // of a model
    private const int Node = 1, Initializer = 5, Input = 11;    // of a graph
    private const int ValueName = 1, TensorName = 8;
    private const int MaxName = 4096;

    private readonly FileStream _file;
    private readonly HashSet<string> _inputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _weights = new(StringComparer.Ordinal);
    private bool _hasNodes;

    private OnnxModelFile(FileStream file) => _file = file;

    /// <summary>How many inputs a model must be given.</summary>
    /// <exception cref="TtsModelLoadException">The file is missing, or no whole model.</exception>
    public static int CountInputs(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var model = new OnnxModelFile(file);
            model.Read(file.Length, (field, end) =>
            {
                if (field == Graph)
                    model.ReadGraph(end);
            });
            // Older models name their weights among the inputs.
            model._inputs.ExceptWith(model._weights);
            return model._hasNodes ? model._inputs.Count : throw new InvalidDataException("it has no graph");
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw OnnxSession.Damaged(path, e);
        }
    }

    private void ReadGraph(long end) => Read(end, (field, fieldEnd) =>
    {
        _hasNodes |= field == Node;
        if (field == Initializer)
            ReadName(TensorName, fieldEnd, _weights);
        else if (field == Input)
            ReadName(ValueName, fieldEnd, _inputs);
    });

    private void ReadName(int wanted, long end, HashSet<string> names) => Read(end, (field, fieldEnd) =>
    {
        if (field != wanted)
            return;
        if (fieldEnd - _file.Position > MaxName)
            throw new InvalidDataException("a name in it is too long");
        var bytes = new byte[fieldEnd - _file.Position];
        _file.ReadExactly(bytes);
        names.Add(Encoding.UTF8.GetString(bytes));
    });

    /// <summary>Goes over a message's fields; calls back with the number and the end of those that have a length, at their start.</summary>
    private void Read(long end, Action<int, long> field)
    {
        while (_file.Position < end)
        {
            var tag = ReadNumber();
            var fieldEnd = (tag & 7) switch
            {
                0 => End(ReadNumber() & 0),
                1 => End(8),
                2 => End(ReadNumber()),
                5 => End(4),
                _ => throw new InvalidDataException("it holds what no model holds"),
            };
            if (tag >> 3 is 0 or > int.MaxValue || fieldEnd > end)
                throw new InvalidDataException("a part of it reaches beyond its end");
            if ((tag & 7) == 2)
                field((int)(tag >> 3), fieldEnd);
            _file.Position = fieldEnd;
        }

        long End(ulong length) => length <= (ulong)end ? _file.Position + (long)length : long.MaxValue;
    }

    /// <summary>Seven bits a byte, the lowest first.</summary>
    private ulong ReadNumber()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = _file.ReadByte();
            if (next < 0)
                throw new InvalidDataException("it ends too early");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException("a number in it does not end");
    }
}
