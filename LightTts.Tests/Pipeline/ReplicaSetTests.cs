using System.Runtime.InteropServices;
using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Extensions.Fakes;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline;

/// <summary>Several devices as one pipeline: where requests go, what they share, and what a lost device takes with it.</summary>
public sealed class ReplicaSetTests
{
    private const string Story = "one two three four. five six seven. eight nine.";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Requests_spread_over_the_devices_and_say_the_same_on_each()
    {
        await using var target = new Target(3);
        var expected = await target.SpeakAsync();
        var together = await Task.WhenAll(Enumerable.Range(0, 48).Select(_ => target.SpeakAsync()));
        Assert.All(together, audio => Assert.Equal(expected, audio));
        Assert.All(target.Worlds, world => Assert.True(world.Samples > 0, "a device had nothing to do"));
        await target.AssertIdleAsync();
    }

    [Fact]
    public async Task A_request_goes_where_the_fewest_are_and_stays_there()
    {
        await using var target = new Target(2);
        using var brake = new Brake(target.Worlds[0], "decode", 1);
        var held = target.SpeakAsync();
        await brake.Held.WaitAsync(Limit);
        // The first device has one that does not end, so all others go to the second, one after the other.
        for (var i = 0; i < 5; i++)
            await target.SpeakAsync().WaitAsync(Limit);
        Assert.Equal(0, target.Worlds[0].Samples);
        var status = target.Set.Status();
        Assert.Equal((1, 6), (status.ActiveRequests, status.Stages.Count));
        Assert.Equal(["cpu", "cpu#2"], status.Stages.Select(stage => stage.Device).Distinct());
        brake.Release();
        Assert.NotEmpty(await held);
        await target.AssertIdleAsync();
    }

    [Theory]
    [InlineData("step")]
    [InlineData("decode")]
    public async Task A_lost_device_takes_only_its_own_requests_with_it(string call)
    {
        await using var target = new Target(2);
        var expected = await target.SpeakAsync();
        using var one = new Brake(target.Worlds[0], "decode", 1);
        using var two = new Brake(target.Worlds[1], "decode", 1);
        var first = target.SpeakAsync(text: string.Join(' ', Enumerable.Repeat(Story, 8)));
        var second = target.SpeakAsync();
        await Task.WhenAll(one.Held, two.Held).WaitAsync(Limit);
        target.Worlds[0].OnCall = name =>
        {
            if (name == call)
                throw new ExternalException("CUDA error: an illegal memory access was encountered");
        };
        one.Release();
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => first.WaitAsync(Limit));
        Assert.Contains("illegal memory access", error.Message);
        two.Release();
        Assert.Equal(expected, await second.WaitAsync(Limit));
        await target.AssertLostAsync("cpu");
        // Everything new goes to the other one.
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => target.SpeakAsync())), audio => Assert.Equal(expected, audio));
        Assert.NotNull(await target.Set.ExtractAsync(new AudioClip(new float[16_000], 16_000), null, default));
        Assert.Equal(["cpu"], target.Set.Status().Stages.Where(stage => !stage.IsAlive).Select(stage => stage.Device).Distinct());
        Assert.Equal(["fake"], target.Set.Styles.Names);
        Assert.True(await target.Set.DrainAsync(Limit, default));
    }

    [Fact]
    public async Task When_the_last_device_is_lost_requests_are_told_why()
    {
        await using var target = new Target(2);
        foreach (var world in target.Worlds)
            world.OnCall = name => _ = name == "step" ? throw new ExternalException("CUDA error: unspecified launch failure") : 0;
        foreach (var device in (string[])["cpu", "cpu#2"])
        {
            await Assert.ThrowsAsync<TtsSynthesisException>(() => target.SpeakAsync().WaitAsync(Limit));
            await target.AssertLostAsync(device);
        }
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => target.SpeakAsync().WaitAsync(Limit));
        Assert.Contains("unspecified launch failure", error.Message);
        Assert.Contains("load a new one", error.Message);
        Assert.Equal(0, target.Set.Status().ActiveRequests);
    }

    [Fact]
    public async Task The_limit_of_requests_is_that_of_all_devices_together()
    {
        await using var target = new Target(2, maxActive: 3);
        using var one = new Brake(target.Worlds[0], "decode", 1);
        using var two = new Brake(target.Worlds[1], "decode", 1);
        var running = Enumerable.Range(0, 3).Select(_ => target.SpeakAsync()).ToList();
        await Task.WhenAll(one.Held, two.Held).WaitAsync(Limit);
        var error = await Assert.ThrowsAsync<TtsQueueFullException>(() => target.SpeakAsync());
        Assert.Contains("3", error.Message);
        Assert.Equal((3, 3), (target.Set.Status().ActiveRequests, target.Set.Status().MaxActiveRequests));
        Assert.False(await target.Set.DrainAsync(TimeSpan.FromMilliseconds(1), default));
        one.Release();
        two.Release();
        Assert.All(await Task.WhenAll(running), Assert.NotEmpty);
        await target.AssertIdleAsync();
    }

    [Fact]
    public async Task Styles_come_to_all_devices_and_leave_them_or_none()
    {
        await using var target = new Target(2);
        var expected = await target.SpeakAsync();
        await target.Set.AddStyleAsync("sad", "20", default);
        Assert.Equal(["fake", "sad"], target.Set.Styles.Names);
        var spoken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => target.SpeakAsync("sad")));
        Assert.All(spoken, audio => Assert.Equal(spoken[0], audio));
        Assert.NotEqual(expected, spoken[0]);
        // One of the devices cannot take it: then neither has it.
        target.Worlds[1].OnCall = name => _ = name == "warm-up language" ? throw new InvalidOperationException("no memory") : 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => target.Set.AddStyleAsync("merry", "30", default));
        target.Worlds[1].OnCall = null;
        Assert.Equal(["fake", "sad"], target.Set.Styles.Names);
        Assert.All(target.Worlds, world => Assert.Equal(1, world.ModelsDisposed));
        // A removal that is given up while one device still speaks in it leaves it on both.
        using (var first = new Brake(target.Worlds[0], "decode", 1)) // or it may be done before the second request comes, which it then gets, too
        using (var brake = new Brake(target.Worlds[1], "decode", 1))
        {
            var running = Task.WhenAll(target.SpeakAsync("sad"), target.SpeakAsync("sad"));
            await Task.WhenAll(first.Held, brake.Held).WaitAsync(Limit);
            first.Release();
            using var cancel = new CancellationTokenSource();
            var removal = target.Set.RemoveStyleAsync("sad", cancel.Token);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => removal.WaitAsync(Limit));
            brake.Release();
            Assert.All(await running, audio => Assert.Equal(spoken[0], audio));
        }
        Assert.All(await Task.WhenAll(target.SpeakAsync("sad"), target.SpeakAsync("sad")), audio => Assert.Equal(spoken[0], audio));
        Assert.True(await target.Set.RemoveStyleAsync("sad", default).WaitAsync(Limit));
        Assert.False(await target.Set.RemoveStyleAsync("sad", default).WaitAsync(Limit));
        Assert.All(target.Worlds, world => Assert.Equal(2, world.ModelsDisposed));
        await target.AssertIdleAsync();
    }

    private sealed class Target : IAsyncDisposable
    {
        public Target(int devices, int maxActive = 64)
        {
            var options = new TtsPipelineOptions { MaxActiveRequests = maxActive, Devices = [.. Enumerable.Repeat(TtsDevice.Cpu, devices)] };
            var admission = new Admission();
            Worlds = [.. Enumerable.Range(0, devices).Select(_ => new FakeWorld())];
            Set = new ReplicaSet([.. Worlds.Select((world, i) => new Replica(
                new SynthesisEngine("fake", new ModelParts(new FakeEncoder(world), [new StyleModel("fake", new FakeLanguageModel(world))],
                    new FakeDecoder(world)), options, TimeProvider.System, NullLogger.Instance, admission, ReplicaSet.Label(options.Devices, i)),
                (path, _) => new FakeLanguageModel(world, accent: ulong.Parse(path, null))))], maxActive);
        }

        public IReadOnlyList<FakeWorld> Worlds { get; }

        public ReplicaSet Set { get; }

        public async Task<float[]> SpeakAsync(string? style = null, string text = Story) => FakeEngine.Join(await FakeEngine.Collect(
            Set.RunAsync(new SynthesisRequest { Text = text, Seed = 1, Style = style }, FakeEngine.Voice, 5, null, default)));

        // Those that ran on it are told just before it is known to be lost.
        public async Task AssertLostAsync(string device)
        {
            for (var i = 0; i < 10_000; i++)
            {
                if (Set.Status().Stages.Any(stage => stage.Device == device && !stage.IsAlive))
                    return;
                await Task.Delay(1);
            }
            Assert.Fail($"{device} is not lost: {string.Join(", ", Set.Status().Stages)}");
        }

        public async Task AssertIdleAsync()
        {
            // The stages free in their next step.
            for (var i = 0; i < 10_000; i++)
            {
                if (Set.Status() is { ActiveRequests: 0, KvBlocksInUse: 0, LanguageSequences: 0, DecodeUtterances: 0, DecodeCacheBytes: 0 }
                    && Worlds.All(world => world is { LanguageStates: 0, DecodeStates: 0, OpenPasses: 0 }))
                    return;
                await Task.Delay(1);
            }
            Assert.Fail($"not idle: {Set.Status()}");
        }

        public ValueTask DisposeAsync() => Set.DisposeAsync();
    }
}
