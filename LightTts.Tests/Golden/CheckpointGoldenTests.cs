using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

public sealed class CheckpointGoldenTests
{
    public static TheoryData<string> Models => new("cosyvoice3-tiny", "cosyvoice2-tiny");

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryTensorOfARealCheckpointIsAStorageInItsOrder(string model)
    {
        foreach (var file in new[] { "llm.pt", "flow.pt", "hift.pt" })
        {
            var path = Repo.Golden($"main/models/{model}/{file}");
            using var checkpoint = PyTorchCheckpoint.Open(path);
            Assert.NotEmpty(checkpoint.Tensors);
            // The weights are saved contiguously: a tensor that is read with wrong strides or a wrong offset has no storage's bytes.
            var storages = Storages(path);
            var unread = storages.ToHashSet();
            foreach (var (name, tensor) in checkpoint.Tensors)
            {
                Assert.Equal(name, tensor.Name);
                Assert.Equal(ElementType.Float32, tensor.Type);
                var values = tensor.ToSingles();
                Assert.Equal(tensor.ElementCount, values.Length);
                Assert.True(Array.TrueForAll(values, value => float.IsFinite(value) && Math.Abs(value) < 1e4), name);
                var hash = Hash(MemoryMarshal.AsBytes<float>(values));
                Assert.True(storages.Contains(hash), $"{file}: {name} is not a storage in its order");
                unread.Remove(hash);
            }
            Assert.Empty(unread);
        }
    }

    /// <summary>The tiny Qwen weights are in both formats, which checks each reader against the other.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void SafetensorsAndCheckpointOfTheSameWeightsAgree(string model)
    {
        using var checkpoint = PyTorchCheckpoint.Open(Repo.Golden($"main/models/{model}/llm.pt"));
        using var safetensors = SafetensorsFile.Open(Repo.Golden($"main/models/{model}/CosyVoice-BlankEN/model.safetensors"));
        var compared = 0;
        foreach (var (name, tensor) in safetensors.Tensors)
        {
            var same = Assert.Contains("llm.model." + name, checkpoint.Tensors);
            Assert.Equal(tensor.Shape, same.Shape);
            Assert.True(tensor.ToSingles().AsSpan().SequenceEqual(same.ToSingles()), name);
            compared++;
        }
        // The rest are the speech part's, and the output layer that Qwen's file leaves out as its embedding's twin.
        Assert.Equal(checkpoint.Tensors.Keys.Count(name => name.StartsWith("llm.model.model.", StringComparison.Ordinal)), compared);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void KeysAreThoseOfTheRealModel(string model)
    {
        var version = model.StartsWith("cosyvoice2", StringComparison.Ordinal) ? 2 : 3;
        using var manifest = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Repo.Golden($"fullsize/manifest_cosyvoice{version}.json")));
        using var checkpoint = PyTorchCheckpoint.Open(Repo.Golden($"main/models/{model}/hift.pt"));
        var expected = manifest.RootElement.GetProperty("hift.pt").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal);
        Assert.Equal(expected, checkpoint.Tensors.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Hashes of the storages, read without the reader under test.</summary>
    private static HashSet<string> Storages(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        var hashes = new HashSet<string>();
        foreach (var entry in zip.Entries.Where(entry => entry.FullName.Split('/') is [_, "data", _]))
        {
            using var stream = entry.Open();
            hashes.Add(Convert.ToHexString(SHA256.HashData(stream)));
        }
        return hashes;
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    [Fact]
    public void PresetsAreATreeOfTensors()
    {
        using var checkpoint = PyTorchCheckpoint.Open(Repo.Golden("main/models/cosyvoice3-tiny/spk2info.pt"));
        var root = Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(checkpoint.Root);
        Assert.NotEmpty(root);
        Assert.All(root.Values, speaker => Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(speaker));
        Assert.Contains(checkpoint.Tensors.Keys, key => key.EndsWith(".embedding", StringComparison.Ordinal));
    }
}
