using System.Runtime.InteropServices;
using LightTts.Models;
using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Pipeline;

/// <summary>A device without memory fails whom it has none for, in numbers, and nobody else.</summary>
public class DeviceMemoryFaultTests
{
    private const string Full = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.18 GiB of which\n2.62 MiB is free. "
        + "Process 4242 has 79.1 GiB memory in use.";

    [Theory]
    [InlineData("step")]
    [InlineData("decode")]
    public async Task Who_finds_no_memory_is_told_how_much_there_was(string call)
    {
        await using var engine = new FakeEngine();
        var request = new SynthesisRequest { Text = "one two three.", Seed = 1 };
        engine.World.OnCall = name =>
        {
            if (name == call)
                throw new ExternalException(Full);
        };
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Speak(request)));
        Assert.Contains("no memory left for the request. Tried to allocate 2.00 GiB.", error.Message);
        Assert.Contains("2.62 MiB is free.", error.Message);
        Assert.DoesNotContain("4242", error.Message);
        engine.World.OnCall = null;
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(request)));
    }

    [Theory]
    [InlineData(Full, "Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.18 GiB of which 2.62 MiB is free.")]
    [InlineData("CUDA error: out of memory (2)", "CUDA says: out of memory.")]
    [InlineData("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "A library of CUDA's says: out of memory.")]
    [InlineData("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", "A library of CUDA's says: out of memory.")]
    [InlineData("cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "A library of CUDA's says: out of memory.")]
    [InlineData("CUDA error: cuBLASLt status 3", "A library of CUDA's says: out of memory.")]
    [InlineData("CUDA error: cuBLAS status 30", null)]
    [InlineData("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasGemmEx(...)`", null)]
    [InlineData("CUDA error: an illegal memory access was encountered", null)]
    [InlineData("a story out of memory", null)]
    public void The_errors_of_a_full_device_are_known(string message, string? said)
    {
        var told = DeviceMemoryFault.Of(new InvalidOperationException("outer", new ExternalException(message)));
        Assert.Equal(said is null, told is null);
        Assert.StartsWith(said ?? "", told ?? "", StringComparison.Ordinal);
    }
}
