using System.CommandLine;
using LightTts.Samples.Speak.Output;

namespace LightTts.Samples.Speak;

/// <summary><c>speak models export-onnx DIR</c>: writes the estimator with which ONNX Runtime decodes streams, too.</summary>
internal static class ExportOnnxCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("dir") { Description = "A model directory." };
        var output = new Option<DirectoryInfo?>("--output", "-o") { Description =
            "Folder to write to. Default: the model directory, where it is used." };
        var natives = new Option<DirectoryInfo?>("--natives") { Description = "Folder with libtorch's libraries." };
        var command = new Command("export-onnx", "Writes a model's estimator for ONNX Runtime, as it decodes streams with; prints the file.")
        {
            directory, output, natives,
        };
        command.SetAction((parsed, cancellation) => ExitCodes.GuardAsync(async () =>
        {
            StandardOutput.Need("Leave it open: the file's name is printed there.");
            var options = new TtsPipelineOptions
            {
                ModelPath = parsed.GetValue(directory)!.FullName,
                NativeLibraryPath = parsed.GetValue(natives)?.FullName,
            };
            Console.WriteLine(await TtsPipeline.ExportOnnxAsync(options, parsed.GetValue(output)?.FullName, cancellation));
            return ExitCodes.Success;
        }));
        return command;
    }
}
