using System.Globalization;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Models.CosyVoice.Files;

/// <summary>A directory of the real sizes loads: every key and shape of the
/// real checkpoints, and no second copy of them in memory.</summary>
public sealed class FullSizeTests(ITestOutputHelper output)
{
    private static readonly string[] Files = ["llm.pt", "flow.pt", "hift.pt"];

    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public void The_real_sizes_load_into_little_more_than_their_own_memory(int generation)
    {
        var manifest = FullSizeDirectory.Manifest(generation);
        Assert.SkipUnless(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > 12L << 30, "needs a machine with more than 12 GB of memory");
        using var folder = new TempFolder();
        FullSizeDirectory.Write(folder.Path, generation);

        using var child = ChildProcess.Start(FullSizeWorker.Role, folder.Path);
        var lines = child.ReadToEnd();
        Assert.True(child.WaitForExit() == 0, string.Join('\n', lines));
        lines.ForEach(output.WriteLine);
        var result = lines[^1].Split(' ');
        var (parameters, peak, after) = (Number(result[0]), Number(result[1]), Number(result[2]));

        var tensors = Files.SelectMany(file => FullSizeManifest.Read(manifest, file)).ToList();
        Assert.Equal(tensors.Sum(Elements), parameters);
        Assert.Equal($"CosyVoice{generation}", result[4]);
        var weights = tensors.Where(tensor => tensor.SharesWith is null).Sum(tensor => Elements(tensor) * TensorEntry.ElementSize(tensor.Type));
        output.WriteLine($"{parameters:N0} parameters, {weights >> 20:N0} MiB of weights: loaded in {result[3]} ms, peak {peak >> 20:N0} MiB "
            + $"({(double)peak / weights:0.00} of the weights), "
            + $"afterwards {after >> 20:N0} MiB");
        Assert.InRange(peak, weights / 2, (long)(1.6 * weights));
    }

    /// <summary>Several language models over one flow and one vocoder: each further one adds its own weights, and nothing else.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public void Three_styles_add_language_models_only(int generation)
    {
        var manifest = FullSizeDirectory.Manifest(generation);
        Assert.SkipUnless(FullRun.IsOn, "LIGHTTTS_FULL=1: takes 12 GB of memory");
        Assert.SkipUnless(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > 20L << 30, "needs a machine with more than 20 GB of memory");
        using var folder = new TempFolder();
        FullSizeDirectory.Write(folder.Path, generation);
        foreach (var style in new[] { "calm", "angry" })
            TorchZipWriter.Write(folder[style + ".pt"], FullSizeManifest.Read(manifest, "llm.pt"));
        folder.Write("style_config.json", """
            {"lora_info": [{"style_name": "plain", "llm_path": "llm.pt"}, {"style_name": "calm", "llm_path": "calm.pt"},
                           {"style_name": "angry", "llm_path": "angry.pt"}]}
            """);
        using var child = ChildProcess.Start(FullSizeWorker.Role, folder.Path);
        var lines = child.ReadToEnd();
        Assert.True(child.WaitForExit() == 0, string.Join('\n', lines));
        lines.ForEach(output.WriteLine);
        var result = lines[^1].Split(' ');
        var (peak, after) = (Number(result[1]), Number(result[2]));
        long Bytes(string file) => FullSizeManifest.Read(manifest, file).Where(tensor => tensor.SharesWith is null)
            .Sum(tensor => Elements(tensor) * TensorEntry.ElementSize(tensor.Type));
        var weights = 3 * Bytes("llm.pt") + Bytes("flow.pt") + Bytes("hift.pt");
        output.WriteLine($"three styles: {weights >> 20:N0} MiB of weights, peak {peak >> 20:N0} MiB ({(double)peak / weights:0.00} of them), "
            + $"afterwards {after >> 20:N0} MiB, loaded in {result[3]} ms");
        Assert.InRange(peak, weights / 2, (long)(1.6 * weights));
    }

    private static long Elements(TorchTensor tensor) => tensor.Shape.Aggregate(1L, (product, size) => product * size);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
