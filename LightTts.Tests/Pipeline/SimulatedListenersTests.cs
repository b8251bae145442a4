using LightTts.Benchmarks.Paced;
using LightTts.Tests.Pipeline.Simulation;

namespace LightTts.Tests.Pipeline;

/// <summary>What the schedulers make of a card, told by a simulation from measured costs. How much language model and decoder slow each other down
/// is not known as well as those, so that it must hold for any.</summary>
public class SimulatedListenersTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(64, 0.7, 0.6)]
    [InlineData(64, 0.9, 0.35)]
    [InlineData(64, 0.7, 0.25)]
    [InlineData(64, 0.8, 0.2)]
    [InlineData(96, 0.7, 0.6)]
    [InlineData(96, 0.7, 0.4)]
    public void Listeners_hear_no_gap(int listeners, double languageShare, double decodeShare)
    {
        var row = Simulate(listeners, CardCosts.H100 with { LanguageShare = languageShare, DecodeShare = decodeShare });
        Assert.InRange(row.Requests, 1.5 * listeners, 2 * listeners);
        Assert.Equal(0, row.Underruns);
        Assert.InRange(row.FirstAudioMsP99, 30, 150);
    }

    [Fact]
    public void The_language_model_lets_a_first_chunk_go_ahead()
    {
        // Prompt, 28 steps, flow and vocoder one after the other, and none of them beside another.
        var row = Simulate(1, CardCosts.H100 with { LanguageShare = 0.8, DecodeShare = 0.2 });
        Assert.InRange(row.FirstAudioMsP99, 30, 40);
    }

    private PacedRow Simulate(int listeners, CardCosts costs)
    {
        var simulation = new PacedSimulation(costs);
        var row = simulation.Listen(listeners, ramp: 12, seconds: 20);
        output.WriteLine($"{row}; decoder busy {simulation.DecodeBusy / 32_000:0.00}, language model {simulation.LanguageBusy / 32_000:0.00}; "
            + $"passes, rows, longest: {simulation.Passes}");
        return row;
    }
}
