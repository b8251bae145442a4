using System.Runtime.InteropServices;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Weights;

public sealed class PyTorchCheckpointTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static byte[] Bytes<T>(params T[] values) where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();

    [Fact]
    public void ReadsEveryElementType()
    {
        TorchZipWriter.Write(_temp["a.pt"], [
            new("f32", [2], ElementType.Float32, Bytes(1.5f, -2f)),
            new("f16", [2], ElementType.Float16, Bytes((Half)1.5f, (Half)(-2f))),
            new("bf16", [2], ElementType.BFloat16, Bytes<ushort>(0x3fc0, 0xc000)),
            new("f64", [2], ElementType.Float64, Bytes(1.5, -2.0)),
            new("i8", [2], ElementType.Int8, Bytes<sbyte>(-1, 2)),
            new("u8", [2], ElementType.UInt8, Bytes<byte>(255, 2)),
            new("i16", [2], ElementType.Int16, Bytes<short>(-1, 2)),
            new("i32", [2], ElementType.Int32, Bytes(-1, 2)),
            new("i64", [2], ElementType.Int64, Bytes(-1L, 1L << 40)),
            new("bool", [2], ElementType.Bool, Bytes<byte>(0, 1))]);
        using var checkpoint = PyTorchCheckpoint.Open(_temp["a.pt"]);
        foreach (var name in new[] { "f32", "f16", "bf16", "f64" })
            Assert.Equal([1.5f, -2f], checkpoint.Tensors[name].ToSingles());
        foreach (var name in new[] { "i8", "i16", "i32" })
            Assert.Equal([-1L, 2L], checkpoint.Tensors[name].ToInt64s());
        Assert.Equal([255L, 2L], checkpoint.Tensors["u8"].ToInt64s());
        Assert.Equal([-1L, 1L << 40], checkpoint.Tensors["i64"].ToInt64s());
        Assert.Equal([0L, 1L], checkpoint.Tensors["bool"].ToInt64s());
        Assert.Throws<TtsModelLoadException>(() => checkpoint.Tensors["f32"].ToInt64s());
    }

    [Fact]
    public unsafe void HonoursSharedStoragesOffsetsAndStrides()
    {
        TorchZipWriter.Write(_temp["a.pt"], [
            new("base", [2, 3], ElementType.Float32, Bytes(0f, 1, 2, 3, 4, 5)),
            new("transposed", [3, 2], ElementType.Float32, SharesWith: "base", Strides: [1, 3]),
            new("column", [2, 1], ElementType.Float32, SharesWith: "base", Offset: 2, Strides: [3, 77]),
            new("scalar", [], ElementType.Float32, SharesWith: "base", Offset: 5, Strides: []),
            new("empty", [0, 4], ElementType.Float32, SharesWith: "base", Offset: 6)]);
        using var checkpoint = PyTorchCheckpoint.Open(_temp["a.pt"]);
        Assert.Equal(["base", "transposed", "column", "scalar", "empty"], checkpoint.Tensors.Keys);
        Assert.Equal([0f, 3, 1, 4, 2, 5], checkpoint.Tensors["transposed"].ToSingles());
        Assert.Equal([2f, 5], checkpoint.Tensors["column"].ToSingles());
        Assert.Equal([5f], checkpoint.Tensors["scalar"].ToSingles());
        Assert.Empty(checkpoint.Tensors["empty"].ToSingles());
        var copied = new float[6];
        fixed (float* destination = copied)
            checkpoint.Tensors["transposed"].CopyTo((byte*)destination);
        Assert.Equal([0f, 3, 1, 4, 2, 5], copied);
    }

    [Fact]
    public void ExposesNestedValuesAndFlattensTheirTensors()
    {
        var pickle = new PickleWriter().Ascii("}(").Text("epoch").Number(12).Text("lr").Ascii("G").Raw(0x3f, 0xe0, 0, 0, 0, 0, 0,
            0).Text("flags").Ascii("](").Raw(0x88, 0x89).Ascii("Ne")
            .Text("model").Global("collections", "OrderedDict").Ascii(")R(").Text("w").Tensor("0", ElementType.Float32, 1, 0, [1]).Ascii("u")
            .Ascii("}").Text("_metadata").Ascii("}sb")
            .Number(7).Global("torch._utils", "_rebuild_parameter").Tensor("0", ElementType.Float32, 1, 0, [1]).Raw(0x88).Global("collections",
            "OrderedDict").Ascii(")R").Raw(0x87).Ascii("R").EndDict();
        TorchZipWriter.WritePickle(_temp["a.pt"], pickle.ToArray(), Bytes(4f));
        using var checkpoint = PyTorchCheckpoint.Open(_temp["a.pt"]);
        var root = Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(checkpoint.Root);
        Assert.Equal(12L, root["epoch"]);
        Assert.Equal(0.5, root["lr"]);
        Assert.Equal([true, false, null], Assert.IsAssignableFrom<IReadOnlyList<object?>>(root["flags"]));
        Assert.Equal(["model.w", "7"], checkpoint.Tensors.Keys);
        Assert.Equal([4f], checkpoint.Tensors["model.w"].ToSingles());
    }

    [Fact]
    public void ReadsBeyondFourGigabytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file would not be sparse");
        const long elements = (5L << 30) / 4;
        TorchZipWriter.Write(_temp["a.pt"], [
            new("huge", [elements], ElementType.Float32),
            new("after", [1], ElementType.Float32, Bytes(3f)),
            new("tail", [2], ElementType.Float32, SharesWith: "huge", Offset: elements - 2)]);
        using var checkpoint = PyTorchCheckpoint.Open(_temp["a.pt"]);
        Assert.Equal(elements * 4, checkpoint.Tensors["huge"].ByteLength);
        Assert.Equal([3f], checkpoint.Tensors["after"].ToSingles());
        Assert.Equal([0f, 0f], checkpoint.Tensors["tail"].ToSingles());
    }

    [Fact]
    public void ReadsMoreThan65535Entries()
    {
        var parts = new List<ZipPart> { new("archive/data.pkl",
            new PickleWriter().BeginDict().Text("a").Tensor("0", ElementType.UInt8, 1, 0, [1]).EndDict().ToArray()) };
        for (var i = 0; i < 70_000; i++)
            parts.Add(new ZipPart($"archive/data/{i}", [9]));
        TorchZipWriter.WriteZip(_temp["a.pt"], parts);
        using var checkpoint = PyTorchCheckpoint.Open(_temp["a.pt"]);
        Assert.Equal([9L], checkpoint.Tensors["a"].ToInt64s());
    }

    /// <summary>The real sizes, as a sparse file: every key, shape and type of a full CosyVoice3 checkpoint.</summary>
    [Theory]
    [InlineData("llm.pt")]
    [InlineData("flow.pt")]
    [InlineData("hift.pt")]
    public void ReadsAFullSizeDirectory(string file)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file would not be sparse");
        var expected = FullSizeManifest.Read(Repo.Golden("fullsize/manifest_cosyvoice3.json"), file);
        TorchZipWriter.Write(_temp[file], expected);
        using var checkpoint = PyTorchCheckpoint.Open(_temp[file]);
        Assert.Equal(expected.Select(t => t.Key), checkpoint.Tensors.Keys);
        Assert.All(expected, t =>
            Assert.Equal((t.Type, string.Join(",", t.Shape)), (checkpoint.Tensors[t.Key].Type, string.Join(",", checkpoint.Tensors[t.Key].Shape))));
    }

    [Fact]
    public void ClosedFilesSaySo()
    {
        TorchZipWriter.Write(_temp["a.pt"], [new("a", [1], ElementType.Float32, Bytes(1f))]);
        var checkpoint = PyTorchCheckpoint.Open(_temp["a.pt"]);
        checkpoint.Dispose();
        Assert.Throws<ObjectDisposedException>(() => checkpoint.Tensors["a"].ToSingles());
    }
}
