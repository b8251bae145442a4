using System.Runtime.InteropServices;
using LightTts.Tests.Support;

namespace LightTts.Tests.Faults;

/// <summary>Two replicas of the embedded voice on the CPU: equal to one, and one of them may be lost.</summary>
[Collection(FaultCollection.Name)]
public sealed class RealReplicaTests
{
    private static readonly SynthesisRequest Request = new() { Text = "Hello there. How are you?", Seed = 5, FlowSteps = 2, MaxSpeechTokens = 20 };

    [Fact]
    public async Task Two_replicas_speak_as_one_and_one_of_them_may_be_lost()
    {
        var options = RealTarget.Options();
        options.Devices = [TtsDevice.Cpu, TtsDevice.Cpu];
        options.MaxActiveRequests = 8;
        List<FaultyModels> models = [];
        var progress = new List<double>();
        await using var pipeline = await Task.Run(() => TtsPipeline.Load(options, new Steps(progress), parts =>
        {
            models.Add(new FaultyModels());
            return models[^1].Wrap(parts);
        }, default));
        Assert.Equal([TtsDevice.Cpu, TtsDevice.Cpu], pipeline.Model.Devices);
        Assert.Equal("cpu, cpu", pipeline.Model.DeviceName);
        Assert.Equal(1, progress.Max());
        Assert.Equal(2, models.Count);
        Assert.Equal((0, 8, 6), (pipeline.Status.ActiveRequests, pipeline.Status.MaxActiveRequests, pipeline.Status.Stages.Count));

        var expected = await SpeakAsync(await SharedPipeline.GetAsync(), Request);
        var calls = new int[2];
        models[0].OnCall = () => Interlocked.Increment(ref calls[0]);
        models[1].OnCall = () => Interlocked.Increment(ref calls[1]);
        foreach (var audio in await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SpeakAsync(pipeline, Request))))
            Same(expected, audio);
        Assert.All(calls, count => Assert.True(count > 0, "a replica had nothing to do"));
        var learnt = await pipeline.Timbres.AddAsync(AudioClip.FromWavFile(Directory.GetFiles(Path.Combine(Repo.TinyEn, "prompts"), "*.wav")[0]));

        models[0].OnCall = () =>
        {
            if (Thread.CurrentThread.Name == "LightTts language")
                throw new ExternalException("CUDA error: an illegal memory access was encountered");
        };
        await Assert.ThrowsAsync<TtsSynthesisException>(() => SpeakAsync(pipeline, Request)); // among equals the first is taken
        for (var i = 0; i < 10_000 && pipeline.Status.Stages.All(stage => stage.IsAlive); i++)
            await Task.Delay(1); // those who ran on it are told just before it is known to be lost
        for (var i = 0; i < 3; i++)
            Same(expected, await SpeakAsync(pipeline, Request));
        Assert.NotEmpty(await SpeakAsync(pipeline, Request with { Timbre = learnt }));
        Assert.Equal(["cpu"], pipeline.Status.Stages.Where(stage => !stage.IsAlive).Select(stage => stage.Device).Distinct());
        Assert.True(await pipeline.DrainAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(0, pipeline.Status.ActiveRequests);
    }

    private static async Task<float[]> SpeakAsync(TtsPipeline pipeline, SynthesisRequest request)
    {
        List<float> samples = [];
        await foreach (var chunk in pipeline.SynthesizeAsync(request))
            samples.AddRange(chunk.Samples.Span);
        return [.. samples];
    }

    // Where a stream is cut depends on the listener's lead, and moves the last bits.
    private static void Same(float[] expected, float[] audio)
    {
        Assert.Equal(expected.Length, audio.Length);
        for (var i = 0; i < audio.Length; i++)
            Assert.Equal(expected[i], audio[i], 1e-4f);
    }

    private sealed class Steps(List<double> fractions) : IProgress<TtsLoadProgress>
    {
        public void Report(TtsLoadProgress value)
        {
            lock (fractions)
                fractions.Add(value.Fraction);
        }
    }
}
