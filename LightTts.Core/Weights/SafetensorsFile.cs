using System.Buffers.Binary;
using System.Text.Json;

namespace LightTts.Weights;

/// <summary>A safetensors file, checked as strictly as the reference implementation does: no overlap, no holes, nothing outside the file.</summary>
internal sealed class SafetensorsFile : ITensorArchive
{
    /// <summary>The format's own limit on the header.</summary>
    private const long MaxHeader = 100_000_000;

    private readonly MappedFile _file;

    private SafetensorsFile(MappedFile file, Dictionary<string, TensorEntry> tensors, Dictionary<string, string> metadata)
    {
        _file = file;
        Tensors = tensors;
        Metadata = metadata;
    }

    public string Path => _file.Path;

    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>The header's "__metadata__"; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <exception cref="TtsModelLoadException">The file is missing, truncated or malformed; the message names the file and the tensor.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            return new Parser(file).Parse();
        }
        catch (Exception e)
        {
            file.Dispose();
            if (e is JsonException or InvalidOperationException or FormatException)
                throw new TtsModelLoadException($"{path}: the safetensors header is not valid: {e.Message}", e);
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static ElementType? Dtype(string? name) => name switch
    {
        "F32" => ElementType.Float32,
        "F16" => ElementType.Float16,
        "BF16" => ElementType.BFloat16,
        "F8_E4M3" => ElementType.Float8E4M3,
        "F8_E5M2" => ElementType.Float8E5M2,
        "F64" => ElementType.Float64,
        "I8" => ElementType.Int8,
        "U8" => ElementType.UInt8,
        "I16" => ElementType.Int16,
        "I32" => ElementType.Int32,
        "I64" => ElementType.Int64,
        "BOOL" => ElementType.Bool,
        _ => null,
    };

    private sealed class Parser(MappedFile file)
    {
        private readonly Dictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
        private readonly List<(long Start, long End, string Name)> _ranges = [];
        private long _data;

        public SafetensorsFile Parse()
        {
            if (file.Length < 8)
                throw new TtsModelLoadException($"{file.Path}: {file.Length} bytes are too few for a safetensors file; it is truncated.");
            var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, 8));
            if (length > MaxHeader)
                throw new TtsModelLoadException($"{file.Path}: the safetensors header claims {length} bytes, more than the format's {MaxHeader}; "
                + $"this is not a safetensors file.");
            if ((long)length > file.Length - 8)
                throw new TtsModelLoadException($"{file.Path}: the safetensors header of {length} bytes ends outside the file; it is truncated.");
            _data = 8 + (long)length;
            ReadHeader(new Utf8JsonReader(file.Span(8, (int)length), new JsonReaderOptions { MaxDepth = 8 }));
            CheckCoverage();
            return new SafetensorsFile(file, _tensors, _metadata);
        }

        private void ReadHeader(Utf8JsonReader json)
        {
            Next(ref json, JsonTokenType.StartObject, "the header");
            var seenMetadata = false;
            while (json.Read() && json.TokenType != JsonTokenType.EndObject)
            {
                var name = json.GetString()!;
                if (name == "__metadata__")
                {
                    if (seenMetadata)
                        throw Bad(name, "it occurs twice");
                    seenMetadata = true;
                    ReadMetadata(ref json);
                }
                else
                    ReadTensor(ref json, name);
            }
            while (json.Read()) { } // Only white space may follow; anything else is a JsonException.
        }

        private void ReadMetadata(ref Utf8JsonReader json)
        {
            Next(ref json, JsonTokenType.StartObject, "__metadata__");
            while (json.Read() && json.TokenType != JsonTokenType.EndObject)
            {
                var key = json.GetString()!;
                Next(ref json, JsonTokenType.String, "__metadata__");
                _metadata[key] = json.GetString()!;
            }
        }

        private void ReadTensor(ref Utf8JsonReader json, string name)
        {
            string? dtype = null;
            List<long>? shape = null, offsets = null;
            Next(ref json, JsonTokenType.StartObject, name);
            while (json.Read() && json.TokenType != JsonTokenType.EndObject)
            {
                var field = json.GetString();
                if (field == "dtype" && dtype is null)
                {
                    Next(ref json, JsonTokenType.String, name);
                    dtype = json.GetString();
                }
                else if (field == "shape" && shape is null)
                    shape = ReadNumbers(ref json, name);
                else if (field == "data_offsets" && offsets is null)
                    offsets = ReadNumbers(ref json, name);
                else
                    throw Bad(name, $"field '{field}' is unknown or occurs twice");
            }
            Add(name, Dtype(dtype) ?? throw Bad(name, $"dtype '{dtype}' is not supported"), shape, offsets);
        }

        private void Add(string name, ElementType type, List<long>? shape, List<long>? offsets)
        {
            if (shape is null || offsets is not [var start, var end])
                throw Bad(name, "shape or data_offsets is missing");
            if (start > end || end > file.Length - _data)
                throw Bad(name, $"its data at [{start}, {end}) lies outside the {file.Length - _data} bytes of data; the file is truncated or "
                + $"damaged");
            var bytes = (UInt128)TensorEntry.ElementSize(type);
            foreach (var size in shape)
            {
                bytes *= (ulong)size;
                // A later zero could hide an overflow from the product, so each step is checked.
                if (bytes > long.MaxValue)
                    throw Bad(name, "the product of its shape overflows");
            }
            if (bytes != (ulong)(end - start))
                throw Bad(name, $"shape [{string.Join(", ", shape)}] of {type} needs {bytes} bytes, its data has {end - start}");
            if (!_tensors.TryAdd(name, new MappedTensor(file, name, type, [.. shape], _data + start)))
                throw Bad(name, "it occurs twice");
            _ranges.Add((start, end, name));
        }

        private List<long> ReadNumbers(ref Utf8JsonReader json, string name)
        {
            var numbers = new List<long>(4);
            Next(ref json, JsonTokenType.StartArray, name);
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var number) || number < 0)
                    throw Bad(name, "shape and data_offsets must hold non-negative integers");
                if (numbers.Count == 16)
                    throw Bad(name, "it has more than 16 dimensions");
                numbers.Add(number);
            }
            return numbers;
        }

        private void CheckCoverage()
        {
            _ranges.Sort();
            var position = 0L;
            foreach (var (start, end, name) in _ranges)
            {
                if (start != position)
                    throw Bad(name, start < position ? "its data overlaps another tensor's"
                    : $"there is a hole of {start - position} bytes before its data");
                position = end;
            }
            if (position != file.Length - _data)
                throw new TtsModelLoadException($"{file.Path}: {file.Length - _data - position} bytes at the end belong to no tensor; the file is "
                + $"damaged.");
        }

        private void Next(ref Utf8JsonReader json, JsonTokenType expected, string name)
        {
            if (!json.Read() || json.TokenType != expected)
                throw Bad(name, $"{expected} expected, {json.TokenType} found");
        }

        private TtsModelLoadException Bad(string name, string why) => new($"{file.Path}: tensor '{Shorten(name)}': {why}.");

        private static string Shorten(string name) => name.Length <= 200 ? name : name[..200] + "...";
    }
}
