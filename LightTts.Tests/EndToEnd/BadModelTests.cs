using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.EndToEnd;

/// <summary>Damaged copies of the embedded voice's directory: loading refuses each with
/// what is wrong and what cures it, runs nothing that a file asks for, and the
/// voice that is loaded already speaks on.</summary>
public sealed class BadModelTests
{
    private const string Yaml = "cosyvoice3.yaml", Qwen = "CosyVoice-BlankEN/config.json";

    private const string Marker = "lighttts-pickle-was-run";

    /// <summary>name -> (the damage, what the refusal says).</summary>
    private static readonly Dictionary<string, (Action<TempFolder> Damage, string[] Says)> Damaged = new()
    {
        ["weights cut in half"] = (model => Cut(model, "llm.pt"), ["llm.pt", "again"]),
        ["weights cut by a byte"] = (model => Keep(model, "hift.pt", bytes => bytes[..^1]), ["hift.pt", "again"]),
        ["weights of 0 bytes"] = (model => Replace(model, "flow.pt", []), ["flow.pt is empty", "Download"]),
        ["a pickle that runs a command"] = (model => TorchZipWriter.WritePickle(Fresh(model, "flow.pt"),
            new PickleWriter().Global("os", "system").Ascii("(").Text("touch " + Path.Combine(Path.GetTempPath(), Marker)).Ascii("tR.").ToArray()),
            ["os.system", "not allowed"]),
        ["a pickle that evaluates"] = (model => TorchZipWriter.WritePickle(Fresh(model, "llm.pt"),
            new PickleWriter().Global("builtins", "eval").Ascii("(").Text("1").Ascii("tR.").ToArray()), ["builtins.eval", "not allowed"]),
        ["a web page for weights"] = (model => Replace(model, "flow.pt", "<!doctype html><html>404</html>"u8.ToArray()), ["flow.pt", "download"]),
        ["a Git LFS pointer"] = (model =>
        Replace(model, "flow.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"u8.ToArray()), ["flow.pt", "git lfs pull"]),
        ["two files of weights swapped"] = (model => Swap(model, "llm.pt", "flow.pt"), ["belong together", "expected"]),
        ["weights that are missing"] = (model => File.Delete(model["llm.pt"]), ["llm.pt is missing", "Download"]),
        ["a folder for weights"] = (model => { File.Delete(model["llm.pt"]); Directory.CreateDirectory(model["llm.pt"]); }, ["llm.pt is missing"]),
        ["no speaker encoder, no tokenizer"] = (model =>
        {
            File.Delete(model["campplus.onnx"]);
            File.Delete(model["CosyVoice-BlankEN/vocab.json"]);
        }, ["campplus.onnx is missing", "vocab.json is missing"]),
        ["another width of the language model"] =
        (model => Edit(model, Yaml, "llm_input_size: 384", "llm_input_size: 256"), ["llm_input_size", "different models"]),
        ["another width in both files"] = (model =>
        {
            Edit(model, Yaml, "llm_input_size: 384", "llm_input_size: 256", "llm_output_size: 384", "llm_output_size: 256");
            Edit(model, Qwen, "\"hidden_size\": 384", "\"hidden_size\": 256", "\"num_attention_heads\": 6", "\"num_attention_heads\": 4");
        }, ["speech_embedding.weight: expected [6761, 256], found [6761, 384]", "belong together"]),
        ["one layer too many"] = (model => Edit(model, Qwen, "\"num_hidden_layers\": 6", "\"num_hidden_layers\": 7"), ["layers.6.", "missing"]),
        ["one layer too few"] = (model => Edit(model, Qwen, "\"num_hidden_layers\": 6", "\"num_hidden_layers\": 5"),
        ["layers.5.", "not part of this model"]),
        ["one block of the flow too many"] = (model => Edit(model, Yaml, "depth: 7", "depth: 8"), ["transformer_blocks.7.", "missing, expected"]),
        ["another width of the flow"] = (model => Edit(model, Yaml, " dim: 256", " dim: 128"), ["expected [", "found ["]),
        ["another number of speech tokens"] =
        (model => Edit(model, Yaml, "speech_token_size: 6561", "speech_token_size: 4096"), ["speech_token_size"]),
        ["a width of billions"] = (model => Edit(model, Qwen, "\"intermediate_size\": 704", "\"intermediate_size\": 2000000000"),
        ["intermediate_size"]),
        ["a yaml that is none"] = (model => Replace(model, Yaml, [0x00, 0xff, 0x7b, 0x5b, 0x3a]), [Yaml]),
        ["an empty yaml"] = (model => Replace(model, Yaml, "\n"u8.ToArray()), [Yaml]),
        ["a yaml that runs a command"] =
        (model => Edit(model, Yaml, "sample_rate: 24000", "sample_rate: !!python/object/apply:os.system ['true']"), ["os.system", "refused"]),
        ["no yaml"] = (model => File.Delete(model[Yaml]), ["neither cosyvoice2.yaml nor cosyvoice3.yaml"]),
        ["CosyVoice2 by name only"] = (model =>
        {
            File.Move(model[Yaml], model["cosyvoice2.yaml"]);
            File.Copy(model["speech_tokenizer_v3.onnx"], model["speech_tokenizer_v2.onnx"]);
        }, ["another version"]),
        ["CosyVoice2's yaml on CosyVoice3's weights"] = (model =>
        {
            File.Copy(Repo.Golden("main/models/cosyvoice2-tiny/cosyvoice2.yaml"), model["cosyvoice2.yaml"]);
            File.Copy(model["speech_tokenizer_v3.onnx"], model["speech_tokenizer_v2.onnx"]);
        }, ["different models"]),
        ["CosyVoice3's yaml on CosyVoice2's weights"] = (model =>
        {
            foreach (var file in new[] { "llm.pt", "flow.pt", "hift.pt" })
                Replace(model, file, File.ReadAllBytes(Repo.Golden("main/models/cosyvoice2-tiny/" + file)));
        }, ["belong together", "expected"]),
        ["a configuration that is not JSON"] = (model => Replace(model, Qwen, "{"u8.ToArray()), ["config.json", "JSON"]),
        ["facts that are not JSON"] = (model => Replace(model, "lighttts.json", "hello"u8.ToArray()), ["lighttts.json", "JSON"]),
        ["a default voice that is not there"] = (model => Edit(model, "lighttts.json", "\"slt\"", "\"nobody\""), ["nobody", "voices"]),
        ["solver steps below 1"] = (model => Edit(model, "lighttts.json", "\"flow_steps\": 3", "\"flow_steps\": 0"), ["flow_steps"]),
        ["voices outside of the directory"] =
        (model => Edit(model, "lighttts.json", "prompts/prompts.json", "../../../etc/passwd"), ["lighttts.json"]),
        ["damaged presets"] = (model => Cut(model, "spk2info.pt"), ["spk2info.pt", "again"]),
        ["another model's merges"] = (model => Replace(model, "CosyVoice-BlankEN/merges.txt", "#version: 0.2\nqq zz\n"u8.ToArray()),
        ["merges.txt", "same tokenizer"]),
        ["a vocabulary that is not JSON"] = (model => Replace(model, "CosyVoice-BlankEN/vocab.json", "hello"u8.ToArray()), ["vocab.json"]),
        ["another model's tokenizer"] = (model =>
        {
            foreach (var file in new[] { "vocab.json", "merges.txt", "tokenizer_config.json" })
                Replace(model, "CosyVoice-BlankEN/" + file, File.ReadAllBytes(Repo.Golden("main/models/cosyvoice3-tiny/CosyVoice-BlankEN/" + file)));
        }, ["another model"]),
        ["a damaged speaker encoder"] = (model => Keep(model, "campplus.onnx", bytes =>
        {
            new Random(1).NextBytes(bytes.AsSpan(0, 4096));
            return bytes;
        }), ["campplus.onnx", "download it again"]),
        ["half a speech tokenizer"] = (model => Cut(model, "speech_tokenizer_v3.onnx"), ["speech_tokenizer_v3.onnx", "download it again"]),
        ["the ONNX files swapped"] = (model => Swap(model, "campplus.onnx", "speech_tokenizer_v3.onnx"), ["another model", "check the file"]),
        ["an ONNX file that is text"] = (model => Replace(model, "campplus.onnx", "hello"u8.ToArray()), ["campplus.onnx", "download it again"]),
    };

    public static TheoryData<string> DamagedCases => [.. Damaged.Keys];

    [Theory]
    [MemberData(nameof(DamagedCases))]
    public async Task Refused_with_a_cure(string name)
    {
        var marker = Path.Combine(Path.GetTempPath(), Marker);
        File.Delete(marker);
        using var model = Copy();
        var (damage, says) = Damaged[name];
        damage(model);
        var message = await RefusalAsync(model.Path);
        TestContext.Current.TestOutputHelper?.WriteLine(message.Length > 800 ? message[..800] + "..." : message);
        Assert.All(says, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.False(File.Exists(marker));
        await BadRequestTests.SpeaksAsync(await SharedPipeline.GetAsync());
    }

    [Fact]
    public async Task Places_that_hold_no_model_are_named()
    {
        using var folder = new TempFolder();
        Assert.Contains("does not exist", await RefusalAsync(folder["nothing"]), StringComparison.Ordinal);
        Assert.Contains("neither", await RefusalAsync(folder.Path), StringComparison.Ordinal);
        Assert.Contains("does not exist", await RefusalAsync(folder.Write("file", "x")), StringComparison.Ordinal);
        await BadRequestTests.SpeaksAsync(await SharedPipeline.GetAsync());
    }

    [Fact]
    public async Task A_folder_that_may_not_be_read_is_named()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no permission bits");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may read everything");
        using var model = Copy();
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(model.Path, UnixFileMode.None);
        try
        {
            Assert.Contains("permissions", await RefusalAsync(model.Path), StringComparison.Ordinal);
        }
        finally
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(model.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task Options_out_of_range_are_refused()
    {
        (TtsPipelineOptions Options, string Names)[] cases =
        [
            (new() { DeviceIndex = -1 }, "DeviceIndex"), (new() { Threads = 0 }, "Threads"), (new() { MaxActiveRequests = 0 }, "MaxActiveRequests"),
            (new() { MaxLanguageRows = 0 }, "MaxLanguageRows"), (new() { MaxLanguageRows = 257 }, "MaxLanguageRows"),
            (new() { KvCacheTokens = 1023 }, "KvCacheTokens"),
            (new() { FlowCacheBytes = -1 }, "FlowCacheBytes"), (new() { MaxTextLength = 0 }, "MaxTextLength"),
            (new() { RequestTimeout = TimeSpan.Zero }, "RequestTimeout"),
            (new() { TextIdleTimeout = TimeSpan.Zero }, "TextIdleTimeout"), (new() { MaxBufferedAudio = TimeSpan.Zero }, "MaxBufferedAudio"),
            (new() { Timbres = null! }, "Timbres"),
        ];
        foreach (var (options, names) in cases)
            Assert.Equal(names, (await Assert.ThrowsAnyAsync<ArgumentException>(() => TtsPipeline.LoadAsync(options))).ParamName);
    }

    /// <summary>The copy itself is good: what the cases above refuse is the damage.</summary>
    [Fact]
    public async Task An_undamaged_copy_loads_and_speaks()
    {
        using var model = Copy();
        await using var pipeline = await TtsPipeline.LoadAsync(Options(model.Path));
        await BadRequestTests.SpeaksAsync(pipeline);
    }

    private static async Task<string> RefusalAsync(string path) =>
        (await Assert.ThrowsAsync<TtsModelLoadException>(() => TtsPipeline.LoadAsync(Options(path)))).Message;

    private static TtsPipelineOptions Options(string path)
    {
        var options = SharedPipeline.Options();
        options.ModelPath = path;
        return options;
    }

    /// <summary>The embedded voice's directory, its files linked where the system lets
    /// anybody link: cases put their own files in place of links.</summary>
    private static TempFolder Copy()
    {
        var folder = new TempFolder();
        foreach (var file in Directory.EnumerateFiles(Repo.TinyEn, "*", SearchOption.AllDirectories))
        {
            var target = folder[Path.GetRelativePath(Repo.TinyEn, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (OperatingSystem.IsWindows() || new FileInfo(file).Length < 1 << 20)
                File.Copy(file, target);
            else
                File.CreateSymbolicLink(target, file);
        }
        return folder;
    }

    private static string Fresh(TempFolder model, string file)
    {
        File.Delete(model[file]);
        return model[file];
    }

    private static void Replace(TempFolder model, string file, byte[] content) => model.Write(file, content);

    private static void Keep(TempFolder model, string file, Func<byte[], byte[]> change) => model.Write(file, change(File.ReadAllBytes(model[file])));

    private static void Cut(TempFolder model, string file) => Keep(model, file, bytes => bytes[..(bytes.Length / 2)]);

    private static void Swap(TempFolder model, string one, string other)
    {
        File.Move(model[one], model["swapped"]);
        File.Move(model[other], model[one]);
        File.Move(model["swapped"], model[other]);
    }

    /// <summary>Replaces text, pairs of old and new; all of it has to be there.</summary>
    private static void Edit(TempFolder model, string file, params string[] changes)
    {
        var text = File.ReadAllText(model[file]);
        for (var i = 0; i < changes.Length; i += 2)
        {
            Assert.Contains(changes[i], text, StringComparison.Ordinal);
            text = text.Replace(changes[i], changes[i + 1], StringComparison.Ordinal);
        }
        model.Write(file, text);
    }
}
