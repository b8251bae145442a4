using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    internal static byte[] Make(string header, int dataBytes, ulong? claimed = null)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + text.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, claimed ?? (ulong)text.Length);
        text.CopyTo(file, 8);
        for (var i = 0; i < dataBytes; i++)
            file[8 + text.Length + i] = (byte)(i + 1);
        return file;
    }

    [Fact]
    public void ReadsTensorsAndMetadata()
    {
        const string header = """{"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},"""
            + """ "a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"z":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]}}   """;
        var path = _temp.Write("a.safetensors", Make(header, 8));
        using var file = SafetensorsFile.Open(path);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(["b", "a", "z"], file.Tensors.Keys);
        Assert.Equal([1L, 2, 3, 4], file.Tensors["a"].ToInt64s());
        Assert.Equal([0x0605L, 0x0807], file.Tensors["b"].ToInt64s());
        Assert.Empty(file.Tensors["z"].ToSingles());
    }

    [Fact]
    public void ConvertsFloats()
    {
        var data = new List<byte>();
        data.AddRange(MemoryMarshal.AsBytes<double>([1.5]));
        data.AddRange(MemoryMarshal.AsBytes<float>([-2.5f]));
        data.AddRange(MemoryMarshal.AsBytes<Half>([(Half)0.5f]));
        data.AddRange([0x80, 0x3f]);
        const string header = """{"d":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"f":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"""
            + """ "h":{"dtype":"F16","shape":[1],"data_offsets":[12,14]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[14,16]}}""";
        var bytes = Make(header, 16);
        data.CopyTo(bytes, bytes.Length - 16);
        using var file = SafetensorsFile.Open(_temp.Write("a.safetensors", bytes));
        Assert.Equal([1.5f, -2.5f, 0.5f, 1f], new[] { "d", "f", "h", "b" }.SelectMany(name => file.Tensors[name].ToSingles()));
    }

    [Fact]
    public void ConvertsEightBitFloats()
    {
        const string header = """{"e4":{"dtype":"F8_E4M3","shape":[9],"data_offsets":[0,9]},"""
            + """ "e5":{"dtype":"F8_E5M2","shape":[3,3],"data_offsets":[9,18]}}""";
        var bytes = Make(header, 18);
        // Zeros, the smallest and the largest subnormal, the smallest normal, one, a mantissa's last bit, the largest, not a number.
        byte[] data =
        [
            0x00, 0x80, 0x01, 0x07, 0x08, 0x38, 0xb9, 0x7e, 0xff,
            0x00, 0x80, 0x01, 0x03, 0x04, 0x3c, 0xbd, 0x7b, 0xfc,
        ];
        data.CopyTo(bytes, bytes.Length - data.Length);
        using var file = SafetensorsFile.Open(_temp.Write("a.safetensors", bytes));
        Assert.Equal([0, -0f, 1 / 512f, 7 / 512f, 1 / 64f, 1, -1.125f, 448, float.NaN], file.Tensors["e4"].ToSingles());
        Assert.Equal([0, -0f, 1 / 65536f, 3 / 65536f, 1 / 16384f, 1, -1.25f, 57344, float.NegativeInfinity], file.Tensors["e5"].ToSingles());
        Assert.Equal((9, 9), (file.Tensors["e4"].ByteLength, file.Tensors["e5"].ByteLength));
        Assert.Equal(ElementType.Float8E5M2, file.Tensors["e5"].Type);
        Assert.Throws<TtsModelLoadException>(() => file.Tensors["e4"].ToInt64s());
    }

    public static TheoryData<string, string, int, string> Damaged => new()
    {
        { "overlap", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}""", 6,
            "'b': its data overlaps" },
        { "same data twice", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 4,
        "overlaps" },
        { "hole", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}}""", 10,
        "'b': there is a hole of 2 bytes" },
        { "hole at the start", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}""", 5, "'a': there is a hole" },
        { "bytes at the end", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 5, "1 bytes at the end" },
        { "beyond the end", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 3, "'a': its data at [0, 4) lies outside" },
        { "backwards", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", 4, "lies outside" },
        { "negative", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}""", 4, "non-negative" },
        { "negative shape", """{"a":{"dtype":"U8","shape":[-2,-2],"data_offsets":[0,4]}}""", 4, "non-negative" },
        { "shape overflows to 0", """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "overflows" },
        { "shape overflows, then 0", """{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904,0],"data_offsets":[0,0]}}""", 0,
        "overflows" },
        { "offset above 2^63", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]}}""", 1, "non-negative" },
        { "fraction", """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "integers" },
        { "text as number", """{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", 1, "integers" },
        { "dtype lies", """{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}""", 4, "needs 16 bytes" },
        { "unknown dtype", """{"a":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]}}""", 4, "'a': dtype 'F8_E8M0'" },
        { "dtype missing", """{"a":{"shape":[4],"data_offsets":[0,4]}}""", 4, "dtype ''" },
        { "shape missing", """{"a":{"dtype":"U8","data_offsets":[0,4]}}""", 4, "missing" },
        { "offsets missing", """{"a":{"dtype":"U8","shape":[4]}}""", 4, "missing" },
        { "three offsets", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}}""", 4, "missing" },
        { "unknown field", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}""", 4, "'x'" },
        { "field twice", """{"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}}""", 4, "'shape'" },
        { "name twice", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4,
        "occurs twice" },
        { "metadata of numbers", """{"__metadata__":{"a":1}}""", 0, "String expected" },
        { "not an object", "[]", 0, "StartObject expected" },
        { "tensor is a number", """{"a":1}""", 0, "StartObject expected" },
        { "JSON ends early", """{"a":{"dtype":"U8","shape":[4],""", 4, "not valid" },
        { "text after the object", """{}{}""", 0, "not valid" },
        { "deep nesting", "{\"a\":" + new string('[', 100_000), 0, "expected" },
        { "17 dimensions", """{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}""", 1, "16 dimensions" },
        { "invalid UTF-8 escape", """{"a\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "not valid" },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void DamageIsNamed(string name, string header, int dataBytes, string expected)
    {
        Assert.NotEmpty(name);
        var path = _temp.Write("bad.safetensors", Make(header, dataBytes));
        var error = Assert.Throws<TtsModelLoadException>(() => SafetensorsFile.Open(path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("bad.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000_001UL, "more than the format's")]
    [InlineData(ulong.MaxValue, "more than the format's")]
    [InlineData(50_000_000UL, "ends outside the file")]
    public void HeaderLengthIsChecked(ulong claimed, string expected)
    {
        var path = _temp.Write("bad.safetensors", Make("{}", 0, claimed));
        Assert.Contains(expected, Assert.Throws<TtsModelLoadException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TruncationAtEveryByteIsFound()
    {
        var good = Make("""{"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"b":{"dtype":"I16","shape":[50],"data_offsets":[4,104]}}""", 104);
        for (var length = 0; length < good.Length; length++)
            Assert.Throws<TtsModelLoadException>(() => SafetensorsFile.Open(_temp.Write("cut.safetensors", good[..length])));
    }
}
