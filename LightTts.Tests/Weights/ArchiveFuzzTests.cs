using System.Text;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Weights;

/// <summary>Random damage to checkpoints and safetensors files: either they are read, or <see cref="TtsModelLoadException"/> says why not.</summary>
public sealed class ArchiveFuzzTests : IDisposable
{
    private const long MaxBytesPerCase = 64 << 20;

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static readonly List<byte[]> PickleTokens =
    [
        .. Encoding.Latin1.GetBytes("(.JKMNQRXabc}ehj]qrst)uGodilgpSTUVPI0").Select(b => new[] { b }),
        .. "80 81 85 86 87 88 89 8a 8b 8c 8d 93 94 95".Split(' ').Select(Convert.FromHexString),
        "cos\nsystem\n"u8.ToArray(), "ctorch\nFloatStorage\n"u8.ToArray(), "ccollections\nOrderedDict\n)R"u8.ToArray(),
        [0x8a, 8, 255, 255, 255, 255, 255, 255, 255, 127], [0x8a, 1, 255], [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 64], [(byte)'h', 0], [(byte)'h', 1],
        [(byte)'q', 0],
    ];

    private static readonly List<byte[]> ZipTokens =
    [
        "PK\x01\x02"u8.ToArray(), "PK\x03\x04"u8.ToArray(), "PK\x05\x06"u8.ToArray(), "PK\x06\x06"u8.ToArray(), "PK\x06\x07"u8.ToArray(),
            [255, 255, 255, 255], [0, 0], [8, 0], [1, 0],
    ];

    private static readonly List<byte[]> JsonTokens =
    [
        .. new[] { "{", "}", "[", "]", ",", ":", "\"", "-1", "0", "4", "1e9", "9223372036854775807", "18446744073709551616", "null", "\"F64\"",
            "\"BOOL\"", "\"shape\"", "\"data_offsets\"", "__metadata__", "\\ud800" }
            .Select(Encoding.UTF8.GetBytes),
    ];

    private static PickleWriter GoodPickle() => new PickleWriter().BeginDict()
        .Text("w").Raw((byte)'q', 0).Tensor("0", ElementType.Float32, 4, 0, [2, 2]).Raw((byte)'q', 1)
        .Text("t").Tensor("0", ElementType.Float32, 4, 1, [3, 1], [1, 9]).Text("n").Number(-5).Text("x").Ascii("h").Raw(1)
        .Text("nested").Global("collections", "OrderedDict").Ascii(")R(").Text("h").Tensor("1", ElementType.Float16, 3, 0,
        [3]).Ascii("u}").Text("_metadata").Ascii("}sb")
        .Text("list").Ascii("](K").Raw(3).Ascii("M").Raw(4, 4).Raw(0x88).Ascii("Ne").Text("pair").Ascii("K").Raw(1).Raw(0x85).EndDict();

    private void Fuzz(int cases, Func<int, string> write, Func<string, ITensorArchive> open)
    {
        var read = 0;
        for (var i = 0; i < cases; i++)
        {
            var path = write(i);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var archive = open(path);
                foreach (var tensor in archive.Tensors.Values)
                    _ = tensor.ToSingles();
                read++;
            }
            catch (TtsModelLoadException e)
            {
                Assert.InRange(e.Message.Length, 20, 8000);
            }
            catch (Exception e)
            {
                Assert.Fail($"case {i}: {e}");
            }
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before <= MaxBytesPerCase, $"case {i} allocated too much");
        }
        // Damage that is never or always survived would mean that nothing was tested.
        Assert.InRange(read, cases / 1000, cases - cases / 10);
    }

    [Fact]
    public void DamagedPickles()
    {
        var good = GoodPickle().ToArray();
        Fuzz(Mutator.Cases(0.3), i =>
        {
            TorchZipWriter.WritePickle(_temp["a.pt"], new Mutator(i).Mutate(good, PickleTokens), new byte[16], new byte[6]);
            return _temp["a.pt"];
        }, PyTorchCheckpoint.Open);
    }

    [Fact]
    public void DamagedZipFiles()
    {
        TorchZipWriter.WritePickle(_temp["good.pt"], GoodPickle().ToArray(), new byte[16], new byte[6]);
        var good = File.ReadAllBytes(_temp["good.pt"]);
        Fuzz(Mutator.Cases(0.2), i => _temp.Write("a.pt", new Mutator(1_000_000 + i).Mutate(good, ZipTokens)), PyTorchCheckpoint.Open);
    }

    [Fact]
    public void DamagedSafetensors()
    {
        const string header = """{"__metadata__":{"a":"b"},"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"""
            + """ "b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},"c":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}""";
        var good = SafetensorsFileTests.Make(header, 12);
        Fuzz(Mutator.Cases(0.2), i => _temp.Write("a.safetensors", new Mutator(2_000_000 + i).Mutate(good, JsonTokens)), SafetensorsFile.Open);
    }
}
