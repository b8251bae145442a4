using LightTts.Tests.Pipeline;

namespace LightTts.Tests.Faults;

/// <summary>Eight healthy requests, streamed, whole and with streamed text, that are
/// spoken again and again while faults are injected beside them.</summary>
internal sealed class Peers
{
    private const int Count = 8;

    private readonly FaultTarget _target;
    private readonly float[][] _expected;
    private readonly Task _running;
    private volatile bool _stop;

    private Peers(FaultTarget target, float[][] expected)
    {
        _target = target;
        _expected = expected;
        _running = Task.WhenAll(Enumerable.Range(0, Count).Select(i => Task.Run(() => Repeat(i))));
    }

    /// <summary>Renders each alone, without a fault beside it, then starts all.</summary>
    public static async Task<Peers> StartAsync(FaultTarget target)
    {
        var expected = new float[Count][];
        for (var i = 0; i < Count; i++)
        {
            expected[i] = await Render(target, i).WaitAsync(target.Limit);
            Assert.NotEmpty(expected[i]);
        }
        return new Peers(target, expected);
    }

    /// <summary>Lets the round under way end; every round has to have given the same samples.</summary>
    public async Task StopAsync()
    {
        _stop = true;
        await _target.InTime("a peer", _running);
    }

    /// <summary>A fresh request, after the faults, is served as before.</summary>
    public async Task AssertServed() => _target.AssertSame(_expected[0], await Render(_target, 0).WaitAsync(_target.Limit));

    private async Task Repeat(int index)
    {
        do
        {
            _target.AssertSame(_expected[index], await Render(_target, index));
            await Task.Yield();
        }
        while (!_stop);
    }

    private static Task<float[]> Render(FaultTarget target, int index)
    {
        var request = new SynthesisRequest { Text = target.Story, Seed = 100 + index, Delivery = index % 3 == 1 ? AudioDelivery.Whole
            : AudioDelivery.Streaming };
        return target.Render(request, index >= 6 ? SynthesisEngineTests.Pieces(target.Story.Split(' ').Select(word => word + " ").ToArray()) : null);
    }
}
