using LightTts.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline;

public class StageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_message_that_cannot_be_taken_is_refused_and_the_others_are_taken()
    {
        var stage = new Recorder();
        for (var i = 1; i <= 5; i++)
            Assert.True(stage.Post(i == 3 ? -3 : i));
        stage.Start();
        stage.Stop();
        await stage.Ended.WaitAsync(Limit);
        Assert.Equal([1, 2, 4, 5], stage.Taken);
        Assert.Equal([-3], stage.Refused);
        Assert.True(stage.IsClosed);
    }

    [Fact]
    public async Task A_stage_that_cannot_start_refuses_everything_and_blocks_nobody()
    {
        var died = new TaskCompletionSource<Exception>();
        var stage = new Recorder { EnterError = new InvalidOperationException("no device"), Died = died.SetResult };
        for (var i = 1; i <= Recorder.Capacity; i++)
            Assert.True(stage.Post(i));
        var blocked = Task.Run(() => stage.Post(99)); // the inbox is full
        stage.Start();
        await stage.Ended.WaitAsync(Limit);
        await blocked.WaitAsync(Limit);
        Assert.Same(stage.EnterError, await died.Task);
        Assert.Equal(Recorder.Capacity, stage.Refused.Count(message => message != 99));
        Assert.False(stage.Post(1));
        Assert.False(stage.Status().IsAlive);
        Assert.True(stage.IsClosed);
    }

    [Fact]
    public async Task A_step_that_throws_fails_what_the_stage_holds_and_the_stage_lives_on()
    {
        var stage = new Recorder { StepError = new InvalidOperationException("once") };
        stage.Start();
        stage.Post(1);
        await stage.Faulted.Task.WaitAsync(Limit);
        stage.StepError = null;
        Assert.True(stage.Post(2));
        stage.Stop();
        await stage.Ended.WaitAsync(Limit);
        Assert.Equal([1, 2], stage.Taken);
    }

    [Fact]
    public async Task No_wake_is_lost()
    {
        using var stepped = new SemaphoreSlim(0);
        var stage = new Recorder { OnStep = () => stepped.Release() };
        stage.OnReceive = stage.Wake; // comes while the inbox is being emptied
        stage.Start();
        stage.Post(1);
        while (await stepped.WaitAsync(100))
        {
        }
        stage.Wake();
        Assert.True(await stepped.WaitAsync(Limit));
        stage.Stop();
        await stage.Ended.WaitAsync(Limit);
    }

    [Fact]
    public async Task Nothing_of_the_starter_flows_into_the_thread()
    {
        var flowing = new AsyncLocal<string> { Value = "the starter's" };
        var seen = "nothing";
        var stage = new Recorder { OnEnter = () => seen = flowing.Value };
        stage.Start();
        stage.Stop();
        await stage.Ended.WaitAsync(Limit);
        Assert.Null(seen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AStageThatCannotStartSaysSoToWhoeverWaitsForIt(bool entering)
    {
        var error = new InvalidOperationException("no device");
        var stage = new Recorder { EnterError = entering ? error : null, WarmUpError = entering ? null : error };
        stage.Start();
        Assert.Same(error, await Assert.ThrowsAsync<InvalidOperationException>(() => stage.Started.WaitAsync(Limit)));
        await stage.Ended.WaitAsync(Limit);
        Assert.True(stage.IsClosed);
    }

    private sealed class Recorder() : Stage<int>(PipelineStage.Language, Capacity, TimeProvider.System, NullLogger.Instance)
    {
        public const int Capacity = 8;

        public List<int> Taken { get; } = [];

        public List<int> Refused { get; } = [];

        public bool IsClosed { get; private set; }

        public Exception? EnterError { get; init; }

        public volatile Exception? StepError;

        public Action? OnEnter { get; init; }

        public Action? OnStep { get; init; }

        public Action? OnReceive { get; set; }

        public TaskCompletionSource Faulted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Exception? WarmUpError { get; init; }

        protected override void WarmUp()
        {
            if (WarmUpError is not null)
                throw WarmUpError;
        }

        protected override IDisposable Enter()
        {
            OnEnter?.Invoke();
            return EnterError is null ? new MemoryStream() : throw EnterError;
        }

        protected override void Receive(int message)
        {
            if (message < 0)
                throw new ArgumentOutOfRangeException(nameof(message));
            if (message == 0)
                return;
            Taken.Add(message);
            OnReceive?.Invoke();
        }

        protected override void Refuse(int message, Exception cause) => Refused.Add(message);

        protected override bool Step()
        {
            OnStep?.Invoke();
            return StepError is { } error ? throw error : false;
        }

        protected override void Fault(Exception cause) => Faulted.TrySetResult();

        protected override void Close() => IsClosed = true;
    }
}
