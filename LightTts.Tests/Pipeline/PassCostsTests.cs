using LightTts.Pipeline;

namespace LightTts.Tests.Pipeline;

public sealed class PassCostsTests
{
    private readonly PassCosts _costs = new();

    [Fact]
    public void A_fixed_part_and_one_for_each_token_are_told_apart()
    {
        Record(20, tokens => 0.012 + 0.0004 * tokens);
        Assert.True(_costs.AreKnown);
        Assert.Equal(0.012, _costs.Fixed, 1e-9);
        Assert.Equal(0.0004, _costs.EachToken, 1e-9);
        Assert.Equal(0.052, _costs.Predict(100), 1e-9);
    }

    [Fact]
    public void What_was_long_ago_is_forgotten()
    {
        Record(50, tokens => 0.1 + 0.01 * tokens);
        Record(300, tokens => 0.01 + 0.001 * tokens);
        Assert.Equal(0.01, _costs.Fixed, 1e-3);
        Assert.Equal(0.001, _costs.EachToken, 1e-4);
    }

    [Fact]
    public void Nothing_is_said_of_what_was_not_seen()
    {
        Assert.Equal((0, 7), (_costs.Predict(10), _costs.Together(7, 25)));
        for (var i = 0; i < 20; i++)
            _costs.Record(25, TimeSpan.FromMilliseconds(10)); // of one size only: which part is fixed?
        Assert.False(_costs.AreKnown);
        Assert.Equal(7, _costs.Together(7, 25));
    }

    [Fact]
    public void Passes_that_cost_next_to_nothing_are_not_weighed()
    {
        Record(40, tokens => 1e-6 * tokens);
        Assert.False(_costs.AreKnown);
    }

    [Theory]
    [InlineData(0.002, -1, 0.012)] // whoever has run dry: not so few that all is the fixed part
    [InlineData(0.002, 0.2, 0.06)]
    [InlineData(0.002, 2, 0.15)]   // small though the fixed part looks
    [InlineData(0.012, 2, 0.192)]
    public void A_pass_may_last_a_part_of_the_time_that_its_listeners_have(double each, double slack, double budget)
    {
        Record(40, tokens => each + 0.0001 * tokens);
        Assert.Equal(budget, _costs.Budget(slack), 1e-6);
    }

    /// <summary>The number is the best of all: nobody's mean wait is shorter with another.</summary>
    [Theory]
    [InlineData(0.010, 0.0001)]
    [InlineData(0.010, 0.001)]
    [InlineData(0.001, 0.002)]
    public void So_many_go_together_that_they_wait_least_on_the_average(double each, double token)
    {
        const int waiting = 32, tokens = 28;
        Record(40, count => each + token * count);
        double Wait(int together)
        {
            double sum = 0, at = 0;
            for (var left = waiting; left > 0; left -= together)
            {
                var rows = Math.Min(together, left);
                at += each + token * tokens * rows;
                sum += rows * at;
            }
            return sum / waiting;
        }
        var chosen = Wait(_costs.Together(waiting, tokens));
        Assert.InRange(chosen, 0, 1.05 * Enumerable.Range(1, waiting).Min(Wait));
    }

    private void Record(int passes, Func<int, double> seconds)
    {
        for (var i = 0; i < passes; i++)
            if (10 + 30 * (i % 7) is var tokens)
                _costs.Record(tokens, TimeSpan.FromSeconds(seconds(tokens)));
    }

    /// <summary>Where all of the cost is the tokens', rounding may leave a fixed part of a little less than nothing.</summary>
    [Fact]
    public void Somebody_always_goes()
    {
        var random = new Random(5);
        for (var round = 0; round < 2000; round++)
        {
            var costs = new PassCosts();
            var each = random.NextDouble() / 50;
            for (var pass = 0; pass < 12; pass++)
            {
                var tokens = random.Next(1, 90);
                costs.Record(tokens, TimeSpan.FromSeconds(tokens * each + (tokens > 45 ? random.NextDouble() * each : 0)));
            }
            Assert.InRange(costs.Fixed, 0, double.MaxValue);
            Assert.InRange(costs.Together(random.Next(1, 30), random.Next(1, 60)), 1, 30);
        }
    }
}
