using LightTts.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LightTts.Samples.Worker;

/// <summary>Speaks the files of a folder, those that lie there first. A stop lets the ones under way end.</summary>
internal sealed partial class InboxReader(ITtsPipeline pipeline, ITtsPipelineHost host, IOptions<InboxOptions> options, TimeProvider time,
    ILogger<InboxReader> log)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var folder = Directory.CreateDirectory(options.Value.Folder).FullName;
        using var files = new SettledFiles(folder, options.Value.Quiet, time);
        Watching(folder);

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Value.AtOnce };
        await Parallel.ForEachAsync(files.ReadAllAsync(stoppingToken), parallel, async (file, _) => await SpeakAsync(file));
    }

    private async Task SpeakAsync(string file)
    {
        try
        {
            var started = Path.ChangeExtension(file, ".speaking");
            File.Move(file, started, overwrite: true);
            var request = new SynthesisRequest { Text = await File.ReadAllTextAsync(started, CancellationToken.None), Voice = options.Value.Voice };
            var partial = Path.ChangeExtension(file, ".part");
            await host.WaitUntilReadyAsync(CancellationToken.None); // the file needs the model's sample rate before there is audio
            await using (var wav = new WavWriter(File.Create(partial), pipeline.Model.SampleRate))
            {
                Speaking(file);
                await foreach (var chunk in pipeline.SynthesizeAsync(request, CancellationToken.None))
                    await wav.WriteAsync(chunk.Samples, CancellationToken.None);
            }
            File.Move(partial, Path.ChangeExtension(file, ".wav"), overwrite: true);
            File.Delete(started);
            Spoken(file);
        }
        catch (Exception e) when (e is TtsException or IOException or ObjectDisposedException)
        {
            Failed(e, file);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Watching {Folder}")]
    private partial void Watching(string folder);

    [LoggerMessage(2, LogLevel.Information, "Speaking {File}")]
    private partial void Speaking(string file);

    [LoggerMessage(3, LogLevel.Information, "Spoke {File}")]
    private partial void Spoken(string file);

    [LoggerMessage(4, LogLevel.Error, "{File} could not be spoken")]
    private partial void Failed(Exception error, string file);
}
