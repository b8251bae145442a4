using System.CommandLine;
using LightTts.Samples.Speak.Output;

namespace LightTts.Samples.Speak;

/// <summary><c>speak timbres list|add|remove|rename|pin|unpin|export|import</c>: the voices that processes share.</summary>
internal static class TimbresCommand
{
    public static Command Create()
    {
        var command = new Command("timbres", "Manages learnt voices, which all processes of this user share.");
        var name = new Argument<string>("name") { Description = "The voice's name or identity." };
        var newName = new Argument<string>("name") { Description = "The name to give to the voice." };
        var other = new Argument<string>("new-name") { Description = "The new name." };
        var wav = new Argument<FileInfo>("wav") { Description = "3 to 10 s of one person's clean speech." };
        var file = new Argument<FileInfo>("file") { Description = "A .timbre file." };
        var text = new Option<string?>("--prompt-text", "-t") { Description = "What the WAV file says, word for word." };
        var rename = new Option<string?>("--name", "-n") { Description = "The name to give to the voice. Default: the one in the file." };

        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var pin = new Option<bool>("--pin") { Description = "Never drop the voice to make room for others." };

        Add(command, "list", "Lists the voices, one line a name.", [json], async (pipeline, parsed, cancellation) =>
        {
            TimbreReport.Write(await pipeline.Timbres.ListAsync(cancellation), Console.Out, parsed.GetValue(json));
            return ExitCodes.Success;
        });
        Add(command, "add", "Learns a voice from a WAV file.", [newName, wav, text, pin], async (pipeline, parsed, cancellation) =>
        {
            var reference = await AudioClip.FromWavFileAsync(parsed.GetValue(wav)!.FullName, cancellationToken: cancellation);
            var found = await pipeline.Timbres.AddAsync(reference, parsed.GetValue(text), parsed.GetValue(newName), cancellation);
            if (parsed.GetValue(pin))
                await pipeline.Timbres.SetPinnedAsync(found.Id, true, cancellation);
            Console.WriteLine($"{found.Name} {found.Id}");
            Console.WriteLine($"timbre: {found.Source.ToString().ToLowerInvariant()}");
            return ExitCodes.Success;
        });
        Add(command, "remove", "Forgets a voice.", [name], async (pipeline, parsed, cancellation) =>
            Found(await pipeline.Timbres.RemoveAsync(parsed.GetValue(name)!, cancellation), parsed.GetValue(name)!));
        Add(command, "rename", "Gives a voice another name; one that is named by its id gets a further name.", [name, other],
            async (pipeline, parsed, cancellation) =>
            Found(await pipeline.Timbres.RenameAsync(parsed.GetValue(name)!, parsed.GetValue(other)!, cancellation), parsed.GetValue(name)!));
        Add(command, "pin", "Never drops a voice to make room for others.", [name], async (pipeline, parsed, cancellation) =>
            Found(await pipeline.Timbres.SetPinnedAsync(parsed.GetValue(name)!, true, cancellation), parsed.GetValue(name)!));
        Add(command, "unpin", "Takes the pin away.", [name], async (pipeline, parsed, cancellation) =>
            Found(await pipeline.Timbres.SetPinnedAsync(parsed.GetValue(name)!, false, cancellation), parsed.GetValue(name)!));
        Add(command, "export", "Writes a voice to a .timbre file.", [name, file], async (pipeline, parsed, cancellation) =>
        {
            using var content = new MemoryStream();
            await pipeline.Timbres.ExportAsync(parsed.GetValue(name)!, content, cancellation);
            File.WriteAllBytes(parsed.GetValue(file)!.FullName, content.ToArray());
            return ExitCodes.Success;
        });
        Add(command, "import", "Takes a voice from a .timbre file.", [file, rename], async (pipeline, parsed, cancellation) =>
        {
            using var content = parsed.GetValue(file)!.OpenRead();
            var timbre = await pipeline.Timbres.ImportAsync(content, parsed.GetValue(rename), cancellation);
            Console.WriteLine($"{timbre.Name} {timbre.Id}");
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Add(Command parent, string name, string description, Symbol[] symbols,
        Func<TtsPipeline, ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Arguments.Add(argument);
            else
                command.Options.Add((Option)symbol);
        }
        var model = new ModelOptions();
        model.AddTo(command);
        command.SetAction((parsed, cancellation) => ExitCodes.GuardAsync(async () =>
        {
            StandardOutput.Need("Leave it open: the result is printed there.");
            await using var pipeline = await Loading.LoadAsync(model.Read(parsed), quiet: true, cancellation);
            return await run(pipeline, parsed, cancellation);
        }));
        parent.Subcommands.Add(command);
    }

    private static int Found(bool found, string name)
    {
        if (!found)
            Console.Error.WriteLine($"speak: there is no voice '{name}'; 'speak timbres list' shows those that there are.");
        return found ? ExitCodes.Success : ExitCodes.Failure;
    }
}
