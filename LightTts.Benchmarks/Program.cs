using System.CommandLine;
using BenchmarkDotNet.Running;
using LightTts;
using LightTts.Benchmarks;
using LightTts.Benchmarks.ServeLoad;
using LightTts.Benchmarks.Stages;
using LightTts.Benchmarks.Timbres;

// The commands measure in seconds to minutes and write JSON; anything else goes to BenchmarkDotNet (--filter '*', --list flat, ...).
var root = new RootCommand("Measures LightTts.") { StagesCommand.Create(), SpeakCommand.Create(), LoadCommand.Create(), ServeLoadCommand.Create(),
    TimbresCommand.Create(), ProductsCommand.Create() };
if (args.Length == 0 || !(root.Subcommands.Any(command => command.Name == args[0]) || args[0] is "--help" or "-h"))
    return BenchmarkSwitcher.FromAssembly(typeof(TimbresCommand).Assembly).Run(args).Any() || args.Contains("--list") ? 0 : 1;
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    return 130; // Ctrl-C, as shells say it
}
catch (TtsException e)
{
    Console.Error.WriteLine(e.Message); // says what to do about it
    return 2;
}
