using System.Runtime.InteropServices;
using LightTts.Models;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LightTts.Tests.Pipeline;

/// <summary>After an error that no CUDA context survives, a pipeline says so instead of failing request after request.</summary>
public class DeviceLossTests
{
    private const string Sticky =
        "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported at some other API call.";

    [Theory]
    [InlineData("step")]
    [InlineData("decode")]
    public async Task A_lost_device_ends_the_pipeline_with_one_line(string call)
    {
        var log = new FakeLogger();
        await using var engine = new FakeEngine(log: log);
        var request = new SynthesisRequest { Text = "one two three.", Seed = 1 };
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(request)));
        engine.World.OnCall = name =>
        {
            if (name == call)
                throw new ExternalException(Sticky);
        };
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Speak(request)));
        Assert.Contains("illegal memory access", error.Message);
        // The device does not come back, and nobody tries.
        engine.World.OnCall = null;
        error = await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Speak(request)));
        Assert.Contains("load a new one in a new process", error.Message);
        for (var i = 0; i < 10_000 && engine.Engine.Status().Stages.All(stage => stage.IsAlive); i++)
            await Task.Delay(1); // the stage's requests are told just before its thread ends
        Assert.Contains(engine.Engine.Status().Stages, stage => !stage.IsAlive);
        Assert.Single(log.Collector.GetSnapshot(), record => record.Level == LogLevel.Critical);
    }

    [Theory]
    [InlineData(Sticky, true)]
    [InlineData("CUDA error: device-side assert triggered", true)]
    [InlineData("CUDA error: unspecified launch failure", true)]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 GiB", false)]
    [InlineData("CUDA error: invalid argument", false)]
    [InlineData("an illegal memory access in the plot of this book", false)]
    public void Only_what_no_context_survives_is_a_loss(string message, bool lost) =>
        Assert.Equal(lost, DeviceLoss.Is(new InvalidOperationException("outer", new ExternalException(message))));
}
