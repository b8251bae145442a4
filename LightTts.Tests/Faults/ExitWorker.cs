using System.Globalization;
using LightTts.Tests.Support;

namespace LightTts.Tests.Faults;

/// <summary>A process that ends while its pipeline loads or speaks, without having disposed it.</summary>
internal static class ExitWorker
{
    public const string Role = "exit";

    /// <param name="arguments">How many requests it has under way when it leaves; -1: it leaves while it loads. Milliseconds until it leaves.</param>
    public static int Leave(string[] arguments)
    {
        var requests = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        var load = TtsPipeline.LoadAsync(SharedPipeline.Options());
        if (requests >= 0)
        {
            var pipeline = load.GetAwaiter().GetResult();
            for (var i = 0; i < requests; i++)
                _ = SpeakAsync(pipeline, i);
        }
        Thread.Sleep(int.Parse(arguments[1], CultureInfo.InvariantCulture));
        Console.Out.WriteLine("leaving");
        return 0;
    }

    private static async Task SpeakAsync(TtsPipeline pipeline, int seed)
    {
        while (true)
            await foreach (var _ in pipeline.SynthesizeAsync(new SynthesisRequest { Text = "Hello there. How are you today?", Seed = seed,
            Delivery = (AudioDelivery)(seed % 2) }))
            {
            }
    }
}
