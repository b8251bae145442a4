using System.Runtime.InteropServices;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Models.CosyVoice.Files;

public sealed class ModelDirectoryTests : IDisposable
{
    private readonly TempFolder _model = TinyDirectory.Create();

    public void Dispose() => _model.Dispose();

    private string Refusal() => Assert.Throws<TtsModelLoadException>(() => ModelDirectory.Open(_model.Path)).Message;

    private string RefusalOf(string yaml)
    {
        _model.Write("cosyvoice3.yaml", yaml);
        return Refusal();
    }

    private void WriteVoices(string file) => _model.Write("voices.json", $$"""{"voices": [{"name": "v", "file": "{{file}}", "text": "Hi."}]}""");

    [Fact]
    public void APlainDirectoryOpens()
    {
        var model = ModelDirectory.Open(_model.Path);
        Assert.Equal(Path.GetFileName(_model.Path), model.Name);
        Assert.Empty(model.Voices);
        Assert.Null(model.DefaultVoice);
        Assert.Equal(new StyleFile("cosyvoice", _model["llm.pt"]), model.Files.Styles.Single());
        Assert.Equal(50, model.Config.Flow.ChunkFrames);
        Assert.Equal(1e-6, model.Config.Language.RmsNormEps);
    }

    [Fact]
    public void SafetensorsTakeThePlaceOfMissingCheckpoints()
    {
        File.Move(_model["flow.pt"], _model["flow.safetensors"]);
        Assert.Equal(_model["flow.safetensors"], ModelDirectory.Open(_model.Path).Files.Flow);
    }

    [Fact]
    public void CosyVoice2ComesFirstAsInTheReference()
    {
        _model.Write("cosyvoice2.yaml", TinyDirectory.Yaml);
        _model.Write("speech_tokenizer_v2.onnx", "x");
        Assert.Contains("belongs to another version", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void AllMissingFilesAreListedAtOnce()
    {
        File.Delete(_model["llm.pt"]);
        File.Delete(_model["campplus.onnx"]);
        _model.Write("hift.pt", "");
        _model.Write("flow.pt", "version https://git-lfs.github.com/spec/v1\n");
        var message = Refusal();
        foreach (var part in new[] { "llm.pt is missing", "campplus.onnx is missing", "hift.pt is empty", "flow.pt is a Git LFS pointer" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APipeIsNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "named pipes are no files there");
        File.Delete(_model["llm.pt"]);
        using (var maker = System.Diagnostics.Process.Start("mkfifo", [_model["llm.pt"]]))
            await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
        var refusal = await Task.Run(Refusal, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20),
            TestContext.Current.CancellationToken);
        Assert.Contains("llm.pt is empty, or not an ordinary file", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "does not exist")]
    [InlineData("readme.txt", "neither cosyvoice2.yaml nor cosyvoice3.yaml")]
    [InlineData("cosyvoice.yaml", "CosyVoice 1")]
    public void OtherFoldersAreNotModels(string? file, string expected)
    {
        if (file is not null)
            _model.Write("sub/" + file, "x");
        Assert.Contains(expected, Assert.Throws<TtsModelLoadException>(() => ModelDirectory.Open(_model["sub"])).Message, StringComparison.Ordinal);
    }

    /// <summary>Every key that the reader asks for, taken away one at a time.</summary>
    [Fact]
    public void EveryMissingKeyIsNamed()
    {
        var lines = TinyDirectory.Yaml.Split('\n').Select(line => line.TrimEnd('\r')).ToArray();
        var unused = new[] { "__set_seed1", "sigma_min", "center", "content", "fmax", "num_class" };
        for (var i = 0; i < lines.Length; i++)
        {
            var key = lines[i].Split(':')[0].Trim();
            var section = i + 1 < lines.Length && lines[i + 1].TakeWhile(c => c == ' ').Count() > lines[i].TakeWhile(c => c == ' ').Count();
            if (section || unused.Contains(key))
                continue;
            var message = RefusalOf(string.Join('\n', lines.Where((_, at) => at != i)));
            Assert.Contains("cosyvoice3.yaml", message, StringComparison.Ordinal);
            Assert.Contains(key, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("hidden_size")]
    [InlineData("num_hidden_layers")]
    [InlineData("num_attention_heads")]
    [InlineData("num_key_value_heads")]
    [InlineData("intermediate_size")]
    [InlineData("rms_norm_eps")]
    [InlineData("rope_theta")]
    [InlineData("vocab_size")]
    public void EveryMissingQwenKeyIsNamed(string key)
    {
        _model.Write("CosyVoice-BlankEN/config.json", TinyDirectory.Qwen.Replace($"\"{key}\"", "\"other\"", StringComparison.Ordinal));
        Assert.Contains($"config.json: '{key}' is missing", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void RopeThetaMayBeInRopeParameters()
    {
        _model.Write("CosyVoice-BlankEN/config.json",
            TinyDirectory.Qwen.Replace("\"rope_theta\": 1000000.0", "\"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"default\"}",
            StringComparison.Ordinal));
        Assert.Equal(5e5, ModelDirectory.Open(_model.Path).Config.Language.RopeTheta);
    }

    [Theory]
    [InlineData("CosyVoice3LM", "Qwen2LM", "'Qwen2LM' where 'CosyVoice3LM'")]
    [InlineData("CausalMaskedDiffWithDiT", "CausalMaskedDiffWithXvec", "CausalMaskedDiffWithXvec")]
    [InlineData("CausalHiFTGenerator", "HiFTGenerator", "'HiFTGenerator'")]
    [InlineData("sample_rate: 24000", "sample_rate: 22050", "sample_rate")]
    [InlineData("width: 32", "width: 64", "different models")]
    [InlineData("vocab_size: 512", "vocab_size: 400", "contradicts flow.vocab_size = 400")]
    [InlineData("num_mels: 80", "num_mels: 100", "contradicts feat_extractor.num_mels = 100")]
    [InlineData("hop_size: 480", "hop_size: 256", "contradicts")]
    [InlineData("[8, 5, 3]", "[8, 5]", "another length")]
    [InlineData("[8, 5, 3]", "[8, 5, x]", "'hift.upsample_rates' is not a number")]
    [InlineData("[8, 5, 3]", "[8, 5, 0]", "'hift.upsample_rates' is not an integer from 1")]
    [InlineData("[5, 15]", "[5]", "not a pair")]
    [InlineData("depth: 3", "depth: 2000000000", "'flow.decoder.estimator.depth' is not an integer")]
    [InlineData("depth: 3", "depth: 1.5", "'flow.decoder.estimator.depth' is not an integer")]
    [InlineData("depth: 3", "depth: '3'", "'flow.decoder.estimator.depth' is not a number")]
    [InlineData("depth: 3", "depth: .nan", "'flow.decoder.estimator.depth' is not a number")]
    [InlineData("depth: 3", "depth: 1e999", "'flow.decoder.estimator.depth' is not a number")]
    [InlineData("depth: 3", "depth: [3]", "'flow.decoder.estimator.depth' is not a number")]
    [InlineData("'cosine'", "'linear'", "supported")]
    [InlineData("!ref <width>\n", "!ref <nowhere>\n", "refers to 'nowhere', which is missing")]
    [InlineData("width: 32", "width: !ref <width>", "refers too far")]
    [InlineData("width: 32", "width: !ref <w2> * <w2>\nw2: !ref <w3> * <w3>\nw3: !ref <w4> * <w4>\nw4: !ref <w5> * <w5>\nw5: 1", "refers too far")]
    [InlineData("width: 32", "width: !ref <a.b> / 2", "where a reference is expected")]
    [InlineData("width: 32", "width: !apply:os.system [touch PWNED]", "tag '!apply:os.system'")]
    [InlineData("width: 32", "width: !new:subprocess.Popen {args: ls}", "tag '!new:subprocess.Popen'")]
    [InlineData("width: 32", "width: !name:builtins.eval {source: ls}", "tag '!name:builtins.eval'")]
    [InlineData("width: 32", "width: !!python/object/apply:os.system [ls]", "python/object/apply:os.system' has no place")]
    [InlineData("width: 32", "width: !include:/etc/passwd", "tag '!include:/etc/passwd'")]
    [InlineData("width: 32", "width: 32\nwidth: 33", "occurs twice")]
    [InlineData("width: 32", "width: *nothing", "not defined")]
    [InlineData("width: 32", "width: &a [*a]", "not defined")]
    [InlineData("width: 32", "width: 32\n? [a, b]\n: 1", "key")]
    [InlineData("width: 32", "width: \"unclosed", "not valid yaml")]
    [InlineData("width: 32", "width: 32\n---\nb: 1", "more than one document")]
    public void WrongValuesAreNamed(string from, string to, string expected)
    {
        var yaml = TinyDirectory.Yaml.ReplaceLineEndings("\n");
        Assert.Contains(from, yaml, StringComparison.Ordinal);
        var message = RefusalOf(yaml.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("cosyvoice3.yaml", message, StringComparison.Ordinal);
    }

    /// <summary>Nine levels of nine aliases each are 3.9e8 values when expanded; they are not.</summary>
    [Fact]
    public void BillionLaughsStaySmall()
    {
        var laughs = "lol0: &lol0 [a, b, c]\n"
            + string.Concat(Enumerable.Range(1, 9).Select(i => $"lol{i}: &lol{i} [{string.Join(", ", Enumerable.Repeat($"*lol{i - 1}", 9))}]\n"));
        _model.Write("cosyvoice3.yaml", laughs + TinyDirectory.Yaml);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(24000, ModelDirectory.Open(_model.Path).Config.SampleRate);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
        Assert.Contains("more than 1000 aliases",
            RefusalOf("a: &a 1\nb: [" + string.Join(",", Enumerable.Repeat("*a", 2000)) + "]\n" + TinyDirectory.Yaml), StringComparison.Ordinal);
        Assert.Contains("cosyvoice3.yaml", RefusalOf("width: *lol9\n" + laughs), StringComparison.Ordinal);
    }

    [Fact]
    public void DeepNestingIsRefused()
    {
        Assert.Contains("nested more than 32", RefusalOf("a: " + new string('[', 50_000)), StringComparison.Ordinal);
        Assert.Contains("nested more than 32", RefusalOf(string.Concat(Enumerable.Range(0, 500).Select(i => new string(' ', i) + "a:\n"))),
            StringComparison.Ordinal);
        _model.Write("cosyvoice3.yaml", TinyDirectory.Yaml);
        _model.Write("CosyVoice-BlankEN/config.json", string.Concat(Enumerable.Repeat("{\"a\":", 50_000)));
        Assert.Contains("config.json: not valid JSON", Refusal(), StringComparison.Ordinal);
        _model.Write("CosyVoice-BlankEN/config.json", new string(' ', 2 << 20));
        Assert.Contains("too many for a configuration file", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void TheWrongTokenizerIsFoundAtLoad()
    {
        _model.Write("CosyVoice-BlankEN/vocab.json", """{"a": 0, "b": 548}""");
        Assert.Contains("token id 548 has no row", Refusal(), StringComparison.Ordinal);
        _model.Write("CosyVoice-BlankEN/vocab.json", """{"a": """);
        Assert.Contains("not a vocabulary", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void InfoAndVoicesAreRead()
    {
        _model.Write("lighttts.json",
            """{"name": "n", "version": "2", "license": "MIT", "languages": ["en", "zh"], "voices": "voices.json", """
            + """ "flow_steps": 4, "text": {"sentence_case": true, "final_punctuation": false}}""");
        WriteVoices("wav/v.wav");
        _model.Write("wav/v.wav", "x");
        var model = ModelDirectory.Open(_model.Path);
        Assert.Equal(("n", "2", "MIT", 4, "v"), (model.Name, model.ModelVersion, model.License, model.FlowSteps, model.DefaultVoice));
        Assert.Equal(["en", "zh"], model.Languages);
        Assert.Equal((true, (bool?)false), (model.SentenceCase, model.FinalPunctuation));
        Assert.Equal(("v", "Hi.", _model["wav/v.wav"]), (model.Voices[0].Name, model.Voices[0].Transcript, model.Voices[0].PromptFile));
        Assert.Equal("You are a helpful assistant.<|endofprompt|>", model.InstructionPrefix);
    }

    [Theory]
    [InlineData("""{"flow_steps": 0}""", "flow_steps")]
    [InlineData("""{"flow_steps": "5"}""", "flow_steps")]
    [InlineData("""{"name": 5}""", "'name' is not a text: write it in quotes")]
    [InlineData("""{"license": ["MIT"]}""", "'license' is not a text")]
    [InlineData("""{"default_voice": true}""", "'default_voice' is not a text")]
    [InlineData("""{"languages": ["en", 5]}""", "'languages' is not a list of texts: write each in quotes")]
    [InlineData("""{"text": true}""", "'text' is not a mapping")]
    [InlineData("""{"text": {"sentence_case": "true"}}""", "'text.sentence_case' is neither true nor false: write one of the two, without quotes")]
    [InlineData("""{"text": {"final_punctuation": 1}}""", "'text.final_punctuation' is neither true nor false")]
    [InlineData("""{"languages": "en"}""", "languages")]
    [InlineData("""{"default_voice": "nobody"}""", "'nobody' is not among the voices")]
    [InlineData("""{"voices": "../voices.json"}""", "refused")]
    [InlineData("""{"voices": "/etc/passwd"}""", "refused")]
    [InlineData("""{"voices": "missing.json"}""", "missing.json")]
    [InlineData("[]", "object is expected")]
    [InlineData("{", "not valid JSON")]
    public void WrongInfoIsNamed(string info, string expected)
    {
        _model.Write("lighttts.json", info);
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("wav/../../secret.wav")]
    [InlineData("/etc/passwd")]
    [InlineData("C:/windows/win.ini")]
    [InlineData("\\\\\\\\server\\\\share\\\\a.wav")]
    [InlineData("./v.wav")]
    [InlineData("wav//v.wav")]
    [InlineData("")]
    public void VoicesStayInsideTheDirectory(string file)
    {
        _model.Write("lighttts.json", """{"voices": "voices.json"}""");
        WriteVoices(file);
        Assert.Contains("must be relative and stay inside", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void SymbolicLinksStayInsideTheDirectory()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a privilege on Windows");
        using var outside = new TempFolder();
        outside.Write("secret.wav", "x");
        _model.Write("lighttts.json", """{"voices": "voices.json"}""");
        _model.Write("real/v.wav", "x");

        WriteVoices("link.wav");
        File.CreateSymbolicLink(_model["link.wav"], outside["secret.wav"]);
        Assert.Contains("stay inside", Refusal(), StringComparison.Ordinal);

        WriteVoices("folder/secret.wav");
        Directory.CreateSymbolicLink(_model["folder"], outside.Path);
        Assert.Contains("stay inside", Refusal(), StringComparison.Ordinal);

        WriteVoices("loop/v.wav");
        Directory.CreateSymbolicLink(_model["loop"], _model["loop2"]);
        Directory.CreateSymbolicLink(_model["loop2"], _model["loop"]);
        Assert.Contains("voices.json", Refusal(), StringComparison.Ordinal);

        WriteVoices("inside/v.wav");
        Directory.CreateSymbolicLink(_model["inside"], "real");
        Assert.Single(ModelDirectory.Open(_model.Path).Voices);

        // The directory itself may be reached through a link.
        Directory.CreateSymbolicLink(outside["model"], _model.Path);
        Assert.Single(ModelDirectory.Open(outside["model"]).Voices);
    }

    [Theory]
    [InlineData(191, 0, 0, "has 191 numbers where the model has 192")]
    [InlineData(192, 4, 7, "frames for 4 speech tokens")]
    [InlineData(192, 0, 8, "frames for 0 speech tokens")]
    [InlineData(192, 4, 8, null)]
    [InlineData(192, 0, 0, null)]
    public void PresetsMustFitTheModel(int embedding, int tokens, int frames, string? expected)
    {
        var ids = MemoryMarshal.AsBytes<int>(Enumerable.Range(508, tokens).ToArray()).ToArray();
        var pickle = new PickleWriter().BeginDict().Text("s").Ascii("}(").Text("embedding").Tensor("0", ElementType.Float32, embedding, 0,
            [1, embedding])
            .Text("flow_prompt_speech_token").Tensor("1", ElementType.Int32, tokens, 0, [1, tokens]).Text("llm_prompt_speech_token").Tensor("1",
                ElementType.Int32, tokens, 0, [1, tokens])
            .Text("prompt_speech_feat").Tensor("2", ElementType.Float32, frames * 80, 0, [1, frames, 80]).Ascii("u").EndDict();
        TorchZipWriter.WritePickle(_model["spk2info.pt"], pickle.ToArray(), new byte[embedding * 4], ids, new byte[frames * 80 * 4]);
        if (expected is not null)
            Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
        else
            Assert.Equal(frames, ModelDirectory.Open(_model.Path).Voices.Single().Features!.MelFrames);
    }

    [Theory]
    [InlineData("N", "a dictionary of speakers")]
    [InlineData("}(X\u0001\0\0\0sNu", "speaker 's' is not a dictionary")]
    [InlineData("}(X\u0001\0\0\0s}u", "speaker 's': 'embedding' is missing")]
    [InlineData("}(X\u0001\0\0\0s}X\u0009\0\0\0embeddingK\u0001su", "'embedding' is not a tensor")]
    public void DamagedPresetsAreNamed(string pickle, string expected)
    {
        TorchZipWriter.WritePickle(_model["spk2info.pt"], new PickleWriter().Ascii(pickle + ".").ToArray());
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void PresetIdsMustExist()
    {
        var pickle = new PickleWriter().BeginDict().Text("s").Ascii("}(").Text("embedding").Tensor("0", ElementType.Float32, 192, 0, [1, 192])
            .Text("prompt_text").Tensor("1", ElementType.Int32, 1, 0, [1, 1]).Ascii("u").EndDict();
        TorchZipWriter.WritePickle(_model["spk2info.pt"], pickle.ToArray(), new byte[768], [0x24, 2, 0, 0]);
        Assert.Contains("'prompt_text' has ids outside 0 to 547", Refusal(), StringComparison.Ordinal);
    }
}
