using System.CommandLine;
using System.Runtime.CompilerServices;
using LightTts.Samples.Speak;
using LightTts.Samples.Speak.Terminal;

if (OpenFiles.Problem() is { } problem)
{
    Console.Error.WriteLine("speak: " + problem);
    return ExitCodes.Failure;
}
return await RunAsync(args);

// A method of its own: no library beyond the runtime's is loaded before the check above.
[MethodImpl(MethodImplOptions.NoInlining)]
static async Task<int> RunAsync(string[] args)
{
    var root = SpeakCommand.Create();
    root.Subcommands.Add(TimbresCommand.Create());
    root.Subcommands.Add(new Command("models", "Looks after models.") { ExportOnnxCommand.Create() });
    root.Subcommands.Add(CompletionsCommand.Create());
    Help.Install(root);
    if (args.Length == 0 && !Console.IsInputRedirected)
        args = ["--help"];
    // A first argument that is no subcommand is the text to speak.
    var parsed = root.Parse(args);
    if (parsed.Action is not Help && Usage.Problem(parsed, args) is { } problem)
    {
        Console.Error.WriteLine($"speak: {problem}");
        Console.Error.WriteLine($"Try: {Usage.Path(parsed)} --help");
        return ExitCodes.Usage;
    }
    return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(5) });
}
