using LightTts.Models;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>Steps of the language model that are launched behind one under way, whose tokens only the device knows.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuStepsAheadTests
{
    private const int Steps = 60;

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Draw_what_they_draw_where_each_is_waited_for(ScalarType compute)
    {
        using var model = Load(compute);
        using var thread = new TorchThread(1, 0).Enter(urgent: true);
        model.WarmUp();
        foreach (var count in (int[])[1, 2, 5, 16, 40, 64])
        {
            var expected = Speak(model, count, ahead: false);
            for (var again = 0; again < 3; again++)
                Assert.Equal(expected, Speak(model, count, ahead: true));
        }
        Assert.Equal(model.KvBlocks, model.FreeKvBlocks);
    }

    /// <summary>What a step fed ahead is forgotten, wherever in a page it lies.</summary>
    [Fact]
    public void Those_that_were_fed_in_vain_leave_nothing_behind()
    {
        using var model = Load(ScalarType.Float32);
        using var thread = new TorchThread(1, 0).Enter(urgent: true);
        model.WarmUp();
        foreach (var length in (int[])[1, 14, 15, 16, 17, 100])
        {
            int[] Draw(bool inVain)
            {
                using var state = model.CreateState();
                List<int> history = [];
                LanguageRow Row(int[] inputs, LanguageRow? follows = null) => new()
                {
                    State = state, Inputs = inputs, Follows = follows, Draw = new TokenDraw(9, history.Count, [.. history], IgnoreEos: true),
                };
                for (var step = 0; step < 20; step++)
                {
                    var row = Row(step == 0 ? Enumerable.Range(1, length).ToArray() : [~(step * 31)]);
                    model.Launch([row]);
                    if (inVain)
                        model.Launch([Row([0], row)]);
                    model.Collect();
                    if (inVain)
                    {
                        state.Retreat(1);
                        model.Collect();
                    }
                    history.Add(row.Token);
                }
                return [.. history];
            }

            Assert.Equal(Draw(inVain: false), Draw(inVain: true));
        }
        Assert.Equal(model.KvBlocks, model.FreeKvBlocks);
    }

    private static LanguageModel Load(ScalarType compute)
    {
        var device = TestDevice.Get(compute);
        Assert.SkipUnless(device.IsCuda, "own kernels need a CUDA device");
        var model = LanguageModels.LoadCuda(Repo.TinyEn, LanguageModels.TinyEn, device,
            new LanguageModelOptions(4096, new LanguageLimits(64, 8192)));
        cuda.synchronize(device.Device);
        return model;
    }

    /// <summary>Tokens of sequences that come and go between steps, with rows in another order each time.</summary>
    private static int[][] Speak(LanguageModel model, int count, bool ahead)
    {
        var states = Enumerable.Range(0, count).Select(_ => model.CreateState()).ToArray();
        var histories = states.Select(_ => new List<int>()).ToArray();
        var launched = new Queue<Dictionary<int, LanguageRow>>();
        for (var step = 0; step < Steps; step++)
        {
            var members = Enumerable.Range(0, count).Where(i => step >= i % 4 && step < Steps - i % 20).ToArray();
            var before = launched.Count > 0 ? launched.Peek() : [];
            var rows = new Dictionary<int, LanguageRow>();
            for (var at = 0; at < members.Length; at++)
            {
                var i = members[(at + step) % members.Length];
                var drawn = step - i % 4;
                rows.Add(i, new LanguageRow
                {
                    State = states[i],
                    Inputs = drawn == 0 ? Enumerable.Range(1 + i, 3 + i * 13 % 90).ToArray() : ahead ? new[] { 0 } : new[] { ~histories[i][^1] },
                    Follows = before.GetValueOrDefault(i),
                    Draw = new TokenDraw((ulong)i, drawn, histories[i], IgnoreEos: true, Sampling: i % 3 == 0 ? Watchful : null),
                });
            }
            Assert.Equal(launched.Count > 0, model.CanFollow);
            model.Launch([.. rows.Values]);
            launched.Enqueue(rows);
            if (launched.Count == (ahead ? 2 : 1))
                Collect();
        }
        while (launched.Count > 0)
            Collect();
        foreach (var state in states)
            state.Dispose();
        return [.. histories.Select(history => history.ToArray())];

        void Collect()
        {
            model.Collect();
            foreach (var (i, row) in launched.Dequeue())
            {
                Assert.Null(row.Error);
                histories[i].Add(row.Token);
            }
        }
    }

    // Looks far back, so that one wrong token of the past changes what comes.
    private static readonly SamplingOptions Watchful = new() { RepetitionWindow = 32, RepetitionThreshold = 0.03 };
}
