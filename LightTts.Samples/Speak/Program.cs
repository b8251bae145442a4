using System.CommandLine;
using LightTts.Samples.Speak;

var root = SpeakCommand.Create();
root.Subcommands.Add(TimbresCommand.Create());
// A first argument that is no subcommand is the text to speak.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(5) });
