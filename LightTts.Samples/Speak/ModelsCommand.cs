using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LightTts.Samples.Speak.Output;
using LightTts.Samples.Speak.Terminal;

namespace LightTts.Samples.Speak;

/// <summary><c>speak models list|pull|inspect|convert|export-onnx|remove</c>: models of a hub and of the cache that is shared with the hub's own
/// tools.</summary>
internal static class ModelsCommand
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var command = new Command("models", "Fetches models and looks after those that have been fetched.");
        var names = string.Join(", ", TtsModels.Known.Select(known => known.ShortName));
        var name = new Argument<string>("model") { Description = $"owner/name on the hub, or {names}." };
        var folder = new Argument<string>("model") { Description = $"A model directory, or a fetched model: owner/name, {names}." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var known = new Option<bool>("--known") { Description = "Models that have a short name, whether they are here or not." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print nothing but the model's folder, and errors." };
        var hub = new HubArguments();
        command.Subcommands.Add(ExportOnnxCommand.Create());

        var list = Add(command, "list", "Lists the models that have been fetched.", [known, json, .. hub.OfCache]);
        list.SetAction(parsed => Guard(() =>
        {
            if (parsed.GetValue(known))
                WriteKnown(parsed.GetValue(json));
            else
                WriteList(TtsModels.List(hub.Read(parsed)), parsed.GetValue(json));
            return ExitCodes.Success;
        }));
        var pull = Add(command, "pull", "Fetches a model, or what is missing of it; prints its folder.",
            [name, quiet, .. hub.OfCache, .. hub.OfPull]);
        pull.SetAction((parsed, cancellation) => ExitCodes.GuardAsync(async () =>
        {
            StandardOutput.Need("Leave it open: the model's folder is printed there.");
            using var bar = new PullBar(parsed.GetValue(quiet), Loading.IsWatched);
            var model = await TtsModels.PullAsync(parsed.GetValue(name)!, hub.Read(parsed), bar, cancellation);
            bar.Dispose();
            Console.WriteLine(model.Path);
            if (!parsed.GetValue(quiet))
                Console.Error.WriteLine($"Speak with it: speak --model {parsed.GetValue(name)} --prompt me.wav \"Hello.\"");
            return ExitCodes.Success;
        }));
        var inspect = Add(command, "inspect", "Prints what a model is, without loading it.", [folder, json, .. hub.OfCache]);
        inspect.SetAction(parsed => Guard(() =>
        {
            Write(TtsModels.Inspect(parsed.GetValue(folder)!, hub.Read(parsed)), parsed.GetValue(json));
            return ExitCodes.Success;
        }));
        var target = new Argument<string>("folder") { Description = "The folder to make." };
        var natives = new Option<string?>("--natives") { Description = "Folder with libtorch's libraries." };
        var convert = Add(command, "convert", "Writes a model with 8-bit weights: smaller, loaded at once, for --precision int8.",
            [folder, target, natives]);
        convert.SetAction((parsed, cancellation) => ExitCodes.GuardAsync(async () =>
        {
            await TtsModels.ConvertAsync(parsed.GetValue(folder)!, parsed.GetValue(target)!, parsed.GetValue(natives), cancellation);
            return ExitCodes.Success;
        }));
        var remove = Add(command, "remove", "Removes a model from the cache; with --revision only that commit of it.", [name, .. hub.OfCache]);
        remove.SetAction(parsed => Guard(() =>
        {
            if (TtsModels.Remove(parsed.GetValue(name)!, hub.Read(parsed)))
                return ExitCodes.Success;
            Console.Error.WriteLine($"speak: {parsed.GetValue(name)} is not in the cache; 'speak models list' shows what is.");
            return ExitCodes.Failure;
        }));
        return command;
    }

    private static Command Add(Command parent, string name, string description, IReadOnlyList<Symbol> symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Arguments.Add(argument);
            else
                command.Options.Add((Option)symbol);
        }
        parent.Subcommands.Add(command);
        return command;
    }

    private static Task<int> Guard(Func<int> work) => ExitCodes.GuardAsync(() =>
    {
        StandardOutput.Need("Leave it open: the result is printed there.");
        return Task.FromResult(work());
    });

    private static void WriteKnown(bool json)
    {
        if (json)
            Console.WriteLine(new JsonArray([.. TtsModels.Known.Select(known => new JsonObject
            {
                ["name"] = known.ShortName, ["huggingFace"] = known.HuggingFace, ["modelScope"] = known.ModelScope,
                ["description"] = known.Description,
            })]).ToJsonString(s_json));
        else
            foreach (var known in TtsModels.Known)
                Console.WriteLine($"{known.ShortName,-12} {known.HuggingFace,-40} {known.Description}");
    }

    private static void WriteList(IReadOnlyList<CachedModel> models, bool json)
    {
        if (json)
            Console.WriteLine(new JsonArray([.. models.Select(model => new JsonObject
            {
                ["name"] = model.Name, ["commit"] = model.Commit, ["bytes"] = model.Bytes, ["complete"] = model.IsComplete, ["path"] = model.Path,
                ["revisions"] = new JsonArray([.. model.Revisions.Select(revision => JsonValue.Create(revision))]),
            })]).ToJsonString(s_json));
        else if (models.Count == 0)
            Console.Error.WriteLine("No models have been fetched. Fetch one: speak models pull cosyvoice3");
        else
            foreach (var model in models)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.Name,-40} {model.Commit[..12]} {model.Bytes / 1e6,9:N0} MB "
                    + $"{(model.IsComplete ? string.Join(", ", model.Revisions) : "not complete: speak models pull " + model.Name)}"));
    }

    private static void Write(ModelSummary model, bool json)
    {
        if (json)
        {
            Console.WriteLine(new JsonObject
            {
                ["name"] = model.Name, ["kind"] = model.Family.ToString(), ["path"] = model.Path, ["sampleRate"] = model.SampleRate,
                ["flowSteps"] = model.FlowSteps, ["license"] = model.License,
                ["languages"] = new JsonArray([.. model.Languages.Select(language => JsonValue.Create(language))]),
                ["styles"] = new JsonArray([.. model.Styles.Select(style => JsonValue.Create(style))]),
                ["voices"] = new JsonArray([.. model.Voices.Select(voice => JsonValue.Create(voice))]),
                ["files"] = new JsonObject(model.Files.Select(file => KeyValuePair.Create(file.Key, (JsonNode?)JsonValue.Create(file.Value)))),
            }.ToJsonString(s_json));
            return;
        }
        void Line(string name, string value) => Console.WriteLine($"{name + ":",-14}{value}");
        Line("name", model.Name);
        Line("kind", model.Family.ToString());
        Line("path", model.Path);
        Line("sample rate", $"{model.SampleRate} Hz");
        Line("flow steps", model.FlowSteps.ToString(CultureInfo.InvariantCulture));
        Line("languages", model.Languages.Count > 0 ? string.Join(", ", model.Languages) : "not stated");
        Line("license", model.License ?? "not stated");
        if (model.Styles.Count > 1)
            Line("styles", string.Join(", ", model.Styles));
        Line("voices", model.Voices.Count == 0 ? "none (use --prompt)" : string.Join(", ", model.Voices));
        Console.WriteLine("files:");
        foreach (var (file, bytes) in model.Files)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {bytes,15:N0}  {file}"));
    }
}
