using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Weights;

/// <summary>Checkpoints that want more than to be read. Each is refused with opcode and
/// offset; one that were executed would leave a file behind.</summary>
public sealed class MaliciousPickleTests : IDisposable
{
    private const string Marker = "PWNED-BY-PICKLE";

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static PickleWriter P => new();

    private static PickleWriter Tensor(long elements, long offset, long[] shape, long[] strides, string id = "0") =>
        P.BeginDict().Text("w").Tensor(id, ElementType.Float32, elements, offset, shape, strides).EndDict();

    private static PickleWriter Repeat(PickleWriter writer, int count, string text)
    {
        for (var i = 0; i < count; i++)
            writer.Ascii(text);
        return writer;
    }

    private static PickleWriter MemoBomb(bool tuples)
    {
        // x0 = []; x1 = [x0, x0]; x2 = [x1, x1] ...: 64 steps expand to 2^64 values.
        var writer = P.Ascii(tuples ? ")" : "]").Raw((byte)'q', 0);
        for (byte i = 0; i < 64; i++)
        {
            if (tuples)
                writer.Ascii("h").Raw(i, 0x86);
            else
                writer.Ascii("](h").Raw(i).Ascii("h").Raw(i).Ascii("e");
            writer.Ascii("q").Raw((byte)(i + 1));
        }
        return writer.Ascii(".");
    }

    private static readonly (string Name, Func<PickleWriter> Make, string Expected)[] Cases =
    [
        ("os.system", () => P.Global("os", "system").Text("touch " + Marker).Raw(0x85).Ascii("R."), "Global at offset 2: global 'os.system'"),
        ("posix.system", () => P.Global("posix", "system").Text("touch " + Marker).Raw(0x85).Ascii("R."), "global 'posix.system'"),
        ("builtins.eval", () => P.Global("builtins", "eval").Text("open('PWNED-BY-PICKLE','w')").Raw(0x85).Ascii("R."), "global 'builtins.eval'"),
        ("__builtin__.exec", () => P.Global("__builtin__", "exec").Text("1").Raw(0x85).Ascii("R."), "global '__builtin__.exec'"),
        ("stack global", () => new PickleWriter().Text("subprocess").Text("Popen").Raw(0x93).Ascii("."),
        "StackGlobal at offset 27: global 'subprocess.Popen'"),
        ("stack global of numbers", () => P.Number(1).Number(2).Raw(0x93).Ascii("."), "two strings expected"),
        ("unknown class", () => P.Global("my.module", "Thing").Ascii(")R."), "global 'my.module.Thing'"),
        ("numpy", () => P.Global("numpy.core.multiarray", "_reconstruct").Ascii(")R."), "numpy.core.multiarray._reconstruct"),
        ("torch.load", () => P.Global("torch", "load").Text("x").Raw(0x85).Ascii("R."), "torch.load"),
        ("torch.hub", () => P.Global("torch.hub", "load").Text("x").Raw(0x85).Ascii("R."), "torch.hub.load"),
        ("name with a dot", () => P.Global("collections", "OrderedDict.__class__").Ascii(")R."), "OrderedDict.__class__"),
        ("INST", () => P.Ascii("(ios\nsystem\n."), "Inst at offset 3"),
        ("OBJ", () => P.Ascii("(").Global("collections", "OrderedDict").Ascii("o."), "Obj"),
        ("NEWOBJ", () => P.Global("collections", "OrderedDict").Ascii(")").Raw(0x81).Ascii("."), "NewObj"),
        ("NEWOBJ_EX", () => P.Global("collections", "OrderedDict").Ascii(")}").Raw(0x92).Ascii("."), "NewObjEx"),
        ("EXT1", () => P.Raw(0x82, 1).Ascii("."), "Ext1 at offset 2"),
        ("EXT4", () => P.Raw(0x84, 1, 0, 0, 0).Ascii("."), "Ext4"),
        ("PERSID", () => P.Ascii("Pstorage\n."), "PersId"),
        ("STRING", () => P.Ascii("S'x'\n."), "String"),
        ("POP", () => P.Ascii("N0N."), "Pop at offset 3"),
        ("DUP", () => P.Ascii("]2e."), "Dup"),
        ("unknown opcode", () => P.Raw(0xfe).Ascii("."), "0xfe"),
        ("BUILD on a dict", () => P.Ascii("}}").Text("_metadata").Ascii("}sb."), "Build"),
        ("BUILD on an OrderedDict with other state", () =>
        P.Global("collections", "OrderedDict").Ascii(")R}").Text("__class__").Number(1).Ascii("sb."), "Build"),
        ("BUILD on a tensor", () => P.Tensor("0", ElementType.Float32, 4, 0, [4]).Ascii("}").Text("__setstate__").Number(1).Ascii("sb."), "Build"),
        ("BUILD on a list", () => P.Ascii("]}b."), "Build"),
        ("REDUCE of a string", () => P.Text("os.system").Ascii(")R."), "Reduce"),
        ("REDUCE of a storage type", () => P.Global("torch", "FloatStorage").Number(1 << 30).Raw(0x85).Ascii("R."), "Reduce"),
        ("OrderedDict with arguments", () => P.Global("collections", "OrderedDict").Ascii("]").Raw(0x85).Ascii("R."), "collections.OrderedDict"),
        ("a global as value", () => P.BeginDict().Text("x").Global("torch", "FloatStorage").EndDict(), "bare"),
        ("memo bomb of lists", () => MemoBomb(tuples: false), "expands to more than"),
        ("memo bomb of tuples", () => MemoBomb(tuples: true), "expands to more than"),
        ("memo index of 4 billion", () => P.Ascii("Nr").Raw(0xff, 0xff, 0xff, 0xff).Ascii("."), "memo index 4294967295"),
        ("memo index not stored", () => P.Ascii("h").Raw(7).Ascii("."), "memo index 7"),
        ("list in itself", () => P.Ascii("]q").Raw(0).Ascii("h").Raw(0).Ascii("a."), "contains itself"),
        ("lists in each other", () => P.Ascii("]q").Raw(0).Ascii("]q").Raw(1).Ascii("h").Raw(0).Ascii("ah").Raw(0).Ascii("h").Raw(1).Ascii("a."),
        "part of another"),
        ("dict changed after it was placed", () => P.Ascii("}q").Raw(0).Raw(0x85).Ascii("h").Raw(0).Text("k").Ascii("Ns."), "part of another"),
        ("1 M lists in each other", () => Repeat(Repeat(P, 1_000_000, "]"), 1_000_000, "a").Ascii("."), "more than"),
        ("90,000 lists in each other", () => Repeat(Repeat(P, 90_000, "]"), 90_000, "a").Ascii("."), "nested more than"),
        ("1 M tuples in each other", () => Repeat(P.Ascii(")"), 1_000_000, "\u0000").Ascii("."), "not allowed"),
        ("100,000 nested 1-tuples", () => { var w = P.Ascii(")"); for (var i = 0; i < 100_000; i++) w.Raw(0x85); return w.Ascii("."); },
        "nested more than"),
        ("2 M marks", () => Repeat(P, 2_000_000, "(").Ascii("."), "stack"),
        ("endless numbers", () => Repeat(P.Ascii("]("), 200_000, "N").Ascii("e."), "stack"),
        ("string of 4 GB", () => P.Ascii("X").Raw(0xff, 0xff, 0xff, 0xff).Ascii("."), "4294967295 bytes"),
        ("string beyond the end", () => P.Ascii("X").Raw(100, 0, 0, 0).Ascii("."), "truncated"),
        ("string that is not UTF-8", () => P.Ascii("X").Raw(2, 0, 0, 0, 0xc3, 0x28).Ascii("."), "BinUnicode at offset 2"),
        ("number of 255 bytes", () => P.Raw(0x8a, 255).Raw(new byte[255]).Ascii("."), "64 bits"),
        ("name without an end", () => P.Ascii("c" + new string('a', 5000)), "without an end"),
        ("empty stack", () => P.Ascii("."), "left over"),
        ("two values left", () => P.Ascii("NN."), "left over"),
        ("bytes after the end", () => P.Ascii("N.N"), "left over"),
        ("no end", () => P.Ascii("N"), "truncated"),
        ("appends without mark", () => P.Ascii("]Ne."), "no mark"),
        ("append across a mark", () => P.Ascii("](a."), "too few"),
        ("tuple of an empty stack", () => P.Raw(0x87).Ascii("."), "too few"),
        ("setitems of an odd number", () => P.Ascii("}(").Text("a").Ascii("u."), "pairs"),
        ("setitem on a list", () => P.Ascii("]").Text("a").Ascii("Ns."), "a dict"),
        ("key that is a list", () => P.Ascii("}]Ns."), "key"),
        ("key twice", () => P.Ascii("}(").Text("a").Ascii("N").Text("a").Ascii("Nu."), "twice"),
        ("number and text as the same key", () => P.Ascii("}(").Text("1").Ascii("N").Number(1).Ascii("Nu."), "twice"),
        ("flattened names collide", () =>
        P.BeginDict().Text("a.b").Tensor("0", ElementType.Float32, 4, 0, [4]).Text("a").Ascii("}").Text("b").Tensor("0", ElementType.Float32, 4, 0,
        [4]).Ascii("s").EndDict(), "twice"),
        ("nothing after the protocol", () => P, "truncated"),
        ("protocol 9", () => P.Raw(0x80, 9).Ascii("N."), "protocol"),
        ("storage missing", () => Tensor(4, 0, [4], [1], "77"), "storage '77' is not in the file"),
        ("storage by a path", () => Tensor(4, 0, [4], [1], "../data.pkl"), "is not in the file"),
        ("storage claims more", () => Tensor(5, 0, [5], [1]), "claims 5 elements"),
        ("storage claims less", () => Tensor(3, 0, [3], [1]), "claims 3 elements"),
        ("storage claims 2^62", () => Tensor(1L << 62, 0, [4], [1]), "claims"),
        ("storage claims -1", () => Tensor(-1, 0, [4], [1]), "claims"),
        ("shape beyond storage", () => Tensor(4, 0, [5], [1]), "reach outside"),
        ("offset beyond storage", () => Tensor(4, 5, [0], [1]), "reach outside"),
        ("offset and shape beyond storage", () => Tensor(4, 3, [2], [1]), "reach outside"),
        ("negative offset", () => Tensor(4, -1, [1], [1]), "reach outside"),
        ("offset of 2^63 - 1", () => Tensor(4, long.MaxValue, [2], [1]), "overflows"),
        ("negative stride", () => Tensor(4, 3, [4], [-1]), "stride -1 is negative"),
        ("negative size", () => Tensor(4, 0, [-4], [1]), "size -4 is negative"),
        ("stride of 2^62", () => Tensor(4, 0, [2, 2], [1L << 62, 1L << 62]), "overflows"),
        ("shape product overflows to 0", () => Tensor(4, 0, [1L << 32, 1L << 32], [0, 0]), "overflows"),
        ("shape product overflows to 4", () => Tensor(4, 0, [(1L << 62) + 1, 4], [0, 1]), "overflows"),
        ("stride 0 expands", () => Tensor(4, 0, [1_000_000_000, 4], [0, 1]), "repeats a storage"),
        ("17 dimensions", () => Tensor(4, 0, [.. Enumerable.Repeat(1L, 17)], [.. Enumerable.Repeat(1L, 17)]), "dimensions"),
        ("more sizes than strides", () => Tensor(4, 0, [2, 2], [1]), "2 sizes and 1 strides"),
        ("size that is a text", () =>
        P.Global("torch._utils", "_rebuild_tensor_v2").Ascii("(").Storage("0", "FloatStorage",
        4).Number(0).Text("x").Raw(0x85).Numbers(1).Raw(0x89).Ascii("}tR."), "not an integer"),
        ("tensor without storage", () =>
        P.Global("torch._utils", "_rebuild_tensor_v2").Ascii("(").Text("storage").Number(0).Numbers(4).Numbers(1).Raw(0x89).Ascii("}tR."),
        "arguments"),
        ("persistent id that is a text", () => P.Text("x").Ascii("Q."), "persistent id"),
        ("persistent id of a global", () =>
        P.Ascii("(").Text("storage").Global("collections", "OrderedDict").Text("0").Text("cpu").Number(4).Ascii("tQ."), "persistent id"),
        ("name of 100 kB", () => P.BeginDict().Text(new string('n', 50_000)).Tensor("0", ElementType.Float32, 4, 0, [4]).EndDict(), "longer than"),
    ];

    public static TheoryData<string> Names => [.. Cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void IsRefusedByName(string name)
    {
        var (_, make, expected) = Cases.Single(c => c.Name == name);
        TorchZipWriter.WritePickle(_temp["bad.pt"], make().ToArray(), new byte[16]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["bad.pt"]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("bad.pt", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 4000, $"a message of {error.Message.Length} characters");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
        Assert.False(File.Exists(Marker) || File.Exists(_temp[Marker]));
    }

    [Fact]
    public void PickleOfMoreThanAStateDictIsRefused()
    {
        TorchZipWriter.WriteZip(_temp["bad.pt"], [new ZipPart("archive/data.pkl", null, 2L << 30)]);
        Assert.Contains("larger than", Assert.Throws<TtsModelLoadException>(() => PyTorchCheckpoint.Open(_temp["bad.pt"])).Message,
            StringComparison.Ordinal);
    }
}
