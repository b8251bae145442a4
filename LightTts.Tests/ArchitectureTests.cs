using System.Text.RegularExpressions;
using LightTts.Tests.Support;

namespace LightTts.Tests;

/// <summary>The rooms of LightTts.Core point downwards only.</summary>
public partial class ArchitectureTests
{
    // What each room may name; the root's plain types (options, requests, chunks, exceptions) are everybody's.
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        // the facade: TtsPipeline and its plain types
        [""] = ["Pipeline", "Models", "Hub", "FileSystem", "Torch", "Cpu", "Cuda", "Onnx", "Weights", "Timbres", "Text", "Audio", "Diagnostics"],
        ["Pipeline"] = ["Models", "Timbres", "Text", "Audio", "Diagnostics"],
        ["Models"] = ["Torch", "Cpu", "Cuda", "Onnx", "Weights", "Timbres", "Text", "Audio", "Diagnostics"],
        ["Torch"] = ["Cpu", "Cuda", "Weights", "Diagnostics"],
        ["Cpu"] = [],
        ["Cuda"] = ["Diagnostics"],
        ["Onnx"] = ["Diagnostics"],
        ["Weights"] = [],
        ["Timbres"] = ["FileSystem", "Diagnostics"],
        ["Hub"] = ["FileSystem"],
        ["FileSystem"] = [],
        ["Text"] = [],
        ["Audio"] = [],
        ["Diagnostics"] = [],
    };

    private static readonly Dictionary<string, string[]> Natives = new()
    {
        ["TorchSharp"] = ["Models", "Torch"],
        ["Microsoft.ML.OnnxRuntime"] = ["Models", "Onnx"],
    };

    // Rooms of Models/CosyVoice: what each may name of the others. An engine's room (Language/Cpu, Flow/DiT) belongs to its part.
    private static readonly Dictionary<string, string[]> PartMayUse = new()
    {
        ["Files"] = [],
        ["Voices"] = ["Files"],
        ["Language"] = ["Files"],
        ["Flow"] = ["Files"],
        ["Vocoder"] = ["Files"],
    };

    private static readonly string Core = Path.Combine(Repo.Root, "LightTts.Core");

    [Fact]
    public void Rooms_point_downwards_only()
    {
        List<string> wrong = [];
        foreach (var (file, room, code) in Sources())
            foreach (Match match in RoomName().Matches(code))
            {
                var used = match.Groups["room"].Value;
                if (used != room && MayUse.ContainsKey(used) && !MayUse[room].Contains(used))
                    wrong.Add($"{file} names LightTts.{used}");
            }
        Assert.Empty(wrong.Distinct());
    }

    [Fact]
    public void Parts_of_a_model_do_not_know_each_other()
    {
        List<string> wrong = [];
        foreach (var (file, _, code) in Sources())
        {
            var parts = file.Split(Path.DirectorySeparatorChar);
            if (parts is not ["Models", "CosyVoice", var part, _, ..])
                continue;
            Assert.True(PartMayUse.ContainsKey(part), $"the room Models/CosyVoice/{part} has no place in the order");
            foreach (Match match in PartName().Matches(code))
                if (match.Groups["part"].Value is var used && used != part && !PartMayUse[part].Contains(used))
                    wrong.Add($"{file} names {used}");
        }
        Assert.Empty(wrong.Distinct());
    }

    [Fact]
    public void Only_their_rooms_name_the_native_backends()
    {
        List<string> wrong = [];
        foreach (var (file, room, code) in Sources())
            foreach (var (library, rooms) in Natives)
                if (!rooms.Contains(room) && Regex.IsMatch(code, $@"\b{Regex.Escape(library)}(?=[.;])"))
                    wrong.Add($"{file} names {library}");
        Assert.Empty(wrong);
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        List<string> wrong = [];
        foreach (var (file, _, code) in Sources())
        {
            var expected = ("LightTts." + Path.GetDirectoryName(file)!.Replace('/', '.').Replace('\\', '.')).TrimEnd('.');
            if (Namespace().Match(code) is not { Success: true } match || match.Groups[1].Value != expected)
                wrong.Add($"{file} is not in {expected}");
        }
        Assert.Empty(wrong);
    }

    /// <summary>The build refuses long lines of code (RCS0056); this sees comments, too.</summary>
    [Fact]
    public void Lines_are_at_most_150_characters_and_files_at_most_400_lines()
    {
        Assert.SkipUnless(Directory.Exists(Core), "the tests run without the sources");
        List<string> wrong = [];
        foreach (var project in new[] { "LightTts.Core", "LightTts.Extensions", "LightTts.Samples", "LightTts.Tests", "LightTts.Benchmarks" })
        {
            foreach (var path in Directory.EnumerateFiles(Path.Combine(Repo.Root, project), "*.cs", SearchOption.AllDirectories))
            {
                var file = Path.GetRelativePath(Repo.Root, path);
                if (file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
                    continue;
                var lines = File.ReadAllLines(path);
                wrong.AddRange(lines.Index().Where(line => line.Item.Length > 150).Select(line => $"{file}:{line.Index + 1}"));
                if (lines.Length > 400)
                    wrong.Add($"{file} has {lines.Length} lines");
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Of_the_plain_types_only_the_facade_knows_how_it_is_done()
    {
        var knowing = Sources().Where(source => source.Room.Length == 0 && UsingOfMachinery().IsMatch(source.Code)).Select(source => source.File);
        // Two facades: the one that runs models, and the one that fetches them and looks at them.
        Assert.All(knowing, file => Assert.Matches("^Tts(Pipeline|Models)", file));
    }

    /// <summary>Every source file of the library without its comments and string literals.</summary>
    private static IEnumerable<(string File, string Room, string Code)> Sources()
    {
        Assert.SkipUnless(Directory.Exists(Core), "the tests run without the sources");
        foreach (var path in Directory.EnumerateFiles(Core, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var file = Path.GetRelativePath(Core, path);
            var parts = file.Split(Path.DirectorySeparatorChar);
            if (parts[0] is "bin" or "obj")
                continue;
            var room = parts.Length > 1 ? parts[0] : "";
            Assert.True(MayUse.ContainsKey(room), $"the room {room} has no place in the order");
            yield return (file, room, CommentOrText().Replace(File.ReadAllText(path), ""));
        }
    }

    // "LightTts.Room" anywhere, and "Room.Type" in code, which the namespaces make visible without a using.
    [GeneratedRegex(@"(?<![\w.])(?:LightTts\.)?"
        + @"(?<room>Pipeline|Models|Hub|FileSystem|Cpu|Cuda|Torch|Onnx|Weights|Timbres|Text|Audio|Diagnostics)(?=[.;])")]
    private static partial Regex RoomName();

    [GeneratedRegex(@"LightTts\.Models\.CosyVoice\.(?<part>\w+)")]
    private static partial Regex PartName();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (static )?LightTts\.(Pipeline|Models|Torch|Onnx)\b", RegexOptions.Multiline)]
    private static partial Regex UsingOfMachinery();

    [GeneratedRegex("//[^\n]*|/\\*.*?\\*/|\"\"\".*?\"\"\"|\"(\\\\.|[^\"\\\\\n])*\"", RegexOptions.Singleline)]
    private static partial Regex CommentOrText();
}
