using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

public sealed class CheckpointGoldenTests
{
    public static TheoryData<string> Models => new("cosyvoice3-tiny", "cosyvoice2-tiny");

    [Theory]
    [MemberData(nameof(Models))]
    public void ReadsEveryTensorOfARealCheckpoint(string model)
    {
        foreach (var file in new[] { "llm.pt", "flow.pt", "hift.pt" })
        {
            using var checkpoint = PyTorchCheckpoint.Open(Repo.Golden($"main/models/{model}/{file}"));
            Assert.NotEmpty(checkpoint.Tensors);
            foreach (var (name, tensor) in checkpoint.Tensors)
            {
                Assert.Equal(name, tensor.Name);
                Assert.Equal(ElementType.Float32, tensor.Type);
                var values = tensor.ToSingles();
                Assert.Equal(tensor.ElementCount, values.Length);
                Assert.All(values, value => Assert.True(float.IsFinite(value) && Math.Abs(value) < 1e4));
            }
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
            if (checkpoint.Tensors.TryGetValue("llm.model." + name, out var same))
            {
                Assert.Equal(tensor.Shape, same.Shape);
                Assert.Equal(tensor.ToSingles(), same.ToSingles());
                compared++;
            }
        Assert.True(compared > 10, $"only {compared} names in common");
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
