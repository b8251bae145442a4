using LightTts.Tests.Packages;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Tests.Torch;

public class TorchRuntimeTests
{
    [Fact]
    public void Natives_load_and_compute()
    {
        TorchRuntime.EnsureLoaded();
        using var a = arange(6, ScalarType.Float32).reshape(2, 3);
        using var product = a.matmul(a.t());
        Assert.Equal([5f, 14f, 14f, 50f], product.ToSingles());
    }

    /// <summary>OpenMP tells what it was loaded with; what is set too late, or where native code does not see it, is not in there.</summary>
    [Theory]
    [InlineData(null, "PASSIVE")]
    [InlineData("active", "ACTIVE")] // what the user set stays
    public async Task Threads_that_have_nothing_to_do_sleep(string? set, string policy)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "another OpenMP");
        var environment = new Dictionary<string, string> { ["OMP_DISPLAY_ENV"] = "true" };
        if (set is not null)
            environment["OMP_WAIT_POLICY"] = set;
        var output = await ConsoleProcess.RunAsync(AppContext.BaseDirectory, environment, Path.Combine(AppContext.BaseDirectory, "LightTts.Tests"),
            "-method", $"{typeof(TorchRuntimeTests).FullName}.{nameof(Natives_load_and_compute)}");
        Assert.Contains($"OMP_WAIT_POLICY = '{policy}'", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Loading_twice_is_harmless()
    {
        TorchRuntime.EnsureLoaded();
        TorchRuntime.EnsureLoaded();
    }

    [Fact]
    public void Patch_makes_the_one_version_need_weak_and_changes_nothing_else()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the patch is for Linux libraries");
        var path = new NativeLibraryFolders(null).Find("LibTorchSharp");
        Assert.NotNull(path);
        var original = File.ReadAllBytes(path);
        var patched = original.ToArray();
        Assert.True(ElfVersionPatch.MakeGlibCxxNeedWeak(patched));
        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != patched[i]).ToArray();
        Assert.Single(changed);
        Assert.Equal(original[changed[0]] | 2, patched[changed[0]]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(4096)]
    public void Patch_leaves_what_is_no_elf_library_alone(int length) => Assert.False(ElfVersionPatch.MakeGlibCxxNeedWeak(new byte[length]));
}
