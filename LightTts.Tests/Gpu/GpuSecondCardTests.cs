using LightTts.Tests.Support;

namespace LightTts.Tests.Gpu;

/// <summary>A pipeline on another card than the first: its stages' current device and
/// streams are that card's, and what it says is the same.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuSecondCardTests
{
    [Fact]
    public async Task The_second_card_says_what_the_first_one_says()
    {
        TestDevice.Need();
        Assert.SkipUnless(TorchSharp.torch.cuda.device_count() > 1, "there is one card only");
        var spoken = new List<float[]>();
        foreach (var card in new[] { 1, 0 })
        {
            var options = SharedPipeline.Options();
            (options.Device, options.DeviceIndex, options.Precision) = (ComputeDevice.Cuda, card, ComputePrecision.Float32);
            await using var pipeline = await TtsPipeline.LoadAsync(options);
            Assert.Equal($"cuda:{card}", pipeline.Model.DeviceName);
            foreach (var delivery in new[] { AudioDelivery.Streaming, AudioDelivery.Whole })
                spoken.Add((await pipeline.SpeakAsync(
                    new SynthesisRequest { Text = "The old lighthouse stood on a rocky cliff.", Seed = 3, Delivery = delivery })).Samples.ToArray());
        }
        Assert.Equal(spoken[2].Length, spoken[0].Length);
        Assert.Equal(spoken[3].Length, spoken[1].Length);
        Assert.All(spoken[0].Zip(spoken[2]).Concat(spoken[1].Zip(spoken[3])), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
    }
}
