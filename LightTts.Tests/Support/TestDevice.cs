using LightTts.Torch;
using TorchSharp;

namespace LightTts.Tests.Support;

/// <summary>The GPU that the tests of the room Gpu need.</summary>
/// <remarks>
/// LIGHTTTS_TEST_DEVICE=cuda runs them, with LIGHTTTS_NATIVES naming the folder of a CUDA
/// libtorch where the build brings none; LIGHTTTS_TEST_DEVICE=cpu rehearses
/// them without a GPU, so that a mistake in a test costs no time on one.
/// </remarks>
internal static class TestDevice
{
    private static readonly string? Wanted = Environment.GetEnvironmentVariable("LIGHTTTS_TEST_DEVICE");

    /// <summary>Folder with libtorch's libraries: LIGHTTTS_NATIVES, or null for those beside the tests.</summary>
    public static string? Natives { get; } = Environment.GetEnvironmentVariable("LIGHTTTS_NATIVES") is { Length: > 0 } folder ? folder : null;

    public static ComputeDevice Kind => Wanted == "cpu" ? ComputeDevice.Cpu : ComputeDevice.Cuda;

    /// <summary>The device, or a skipped test that says what is missing.</summary>
    public static TorchDevice Get(torch.ScalarType compute = torch.ScalarType.Float32)
    {
        Need();
        return new TorchDevice(TorchDevice.Choose(Kind, 0), compute);
    }

    public static void Need() =>
        Assert.SkipUnless(Wanted is "cuda" or "cpu",
        "no GPU asked for; set LIGHTTTS_TEST_DEVICE=cuda (and LIGHTTTS_NATIVES to a CUDA libtorch's folder)");
}
