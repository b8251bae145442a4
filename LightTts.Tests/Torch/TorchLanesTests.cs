using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Tests.Torch;

public class TorchLanesTests
{
    [Fact]
    public async Task Pieces_run_at_the_same_time_each_with_its_share_of_the_threads()
    {
        TorchRuntime.EnsureLoaded();
        await Task.Factory.StartNew(() =>
        {
            using var lanes = new TorchLanes(4);
            set_num_threads(4);
            using var both = new Barrier(2);
            var threads = new int[2];
            for (var round = 0; round < 3; round++)
                lanes.Run(2, i =>
                {
                    Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(30)), "the other piece does not run");
                    threads[i] = get_num_threads();
                });
            Assert.Equal([2, 2], threads);
            lanes.Run(1, i => threads[i] = get_num_threads());
            Assert.Equal(4, threads[0]);
        }, TaskCreationOptions.LongRunning);
    }
}
