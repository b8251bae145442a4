using LightTts.Tests.Faults;
using LightTts.Tests.Support;

namespace LightTts.Tests.Gpu;

/// <summary>The pipeline's stress test over the embedded voice on the device.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuStressTests
{
    [Fact]
    public async Task Five_hundred_requests_and_nothing_hangs_or_stays()
    {
        TestDevice.Need();
        await using var target = await RealTarget.LoadAsync(StressTests.Options(), TestDevice.Kind);
        await StressTests.Stress(target, 8, TestDevice.Kind == ComputeDevice.Cpu ? 60 : 500, 100);
    }
}
