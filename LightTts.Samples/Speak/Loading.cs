using Spectre.Console;

namespace LightTts.Samples.Speak;

/// <summary>Loads the pipeline, with a progress bar where a person watches.</summary>
internal static class Loading
{
    /// <summary>Messages and bars go to standard error, so that standard output can carry audio.</summary>
    public static IAnsiConsole Terminal { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public static bool IsWatched => !Console.IsErrorRedirected;

    public static async Task<TtsPipeline> LoadAsync(TtsPipelineOptions options, bool quiet, CancellationToken cancellation)
    {
        if (quiet || !IsWatched)
            return await TtsPipeline.LoadAsync(options, null, cancellation);
        return await Terminal.Progress().AutoClear(true).StartAsync(async context =>
        {
            var task = context.AddTask("Loading the model", maxValue: 1);
            var progress = new Progress<TtsLoadProgress>(step => task.Value = Math.Max(task.Value, step.Fraction));
            return await TtsPipeline.LoadAsync(options, progress, cancellation);
        });
    }
}
