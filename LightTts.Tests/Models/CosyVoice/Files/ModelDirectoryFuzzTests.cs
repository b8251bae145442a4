using System.Text;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Files;

/// <summary>Random damage to a model directory's yaml and JSON files: either it opens, or <see cref="TtsModelLoadException"/> says why not.</summary>
public sealed class ModelDirectoryFuzzTests : IDisposable
{
    private const long MaxBytesPerCase = 64 << 20;

    private static readonly List<byte[]> YamlTokens =
    [
        .. new[] { "&a ", "*a", "!ref <", "!new:", "!apply:os.system ", "!!python/name:x ", "[", "]", "{", "}", "- ", "? ", ": ", "\n", "\n  ", "\t",
            "#", "|", ">", "'", "\"", "%YAML 1.2\n", "---\n", "...\n", "<<: ", "1e999", ".nan", "-1", "\\u", "\\xff", "null", "~", "@", "`" }
            .Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly List<byte[]> JsonTokens =
    [
        .. new[] { "{", "}", "[", "]", ",", ":", "\"", "-1", "0", "1e999", "99999999999", "null", "true", "\"..\"", "/", "../", "\\ud800", "//",
            "\\" }.Select(Encoding.UTF8.GetBytes),
    ];

    private readonly TempFolder _model = TinyDirectory.Create();

    public ModelDirectoryFuzzTests() => _model.Write("wav/v.wav", "x");

    public void Dispose() => _model.Dispose();

    private void Fuzz(string file, string content, List<byte[]> tokens, double share, int seed)
    {
        var good = Encoding.UTF8.GetBytes(content);
        var (cases, opened) = (Mutator.Cases(share), 0);
        for (var i = 0; i < cases; i++)
        {
            _model.Write(file, new Mutator(seed + i).Mutate(good, tokens));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                _ = ModelDirectory.Open(_model.Path);
                opened++;
            }
            catch (TtsModelLoadException e)
            {
                Assert.InRange(e.Message.Length, 20, 8000);
            }
            catch (Exception e)
            {
                Assert.Fail($"{file}, case {i}: {e}");
            }
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before <= MaxBytesPerCase, $"case {i} allocated too much");
        }
        Assert.InRange(opened, cases / 1000, cases - cases / 10);
    }

    [Fact]
    public void DamagedYaml() => Fuzz("cosyvoice3.yaml", TinyDirectory.Yaml, YamlTokens, 0.15, 3_000_000);

    [Fact]
    public void DamagedQwenConfig() => Fuzz("CosyVoice-BlankEN/config.json", TinyDirectory.Qwen, JsonTokens, 0.05, 4_000_000);

    [Fact]
    public void DamagedVocabulary() =>
        Fuzz("CosyVoice-BlankEN/vocab.json", """{"a": 0, "b": 1, "!": 2, "\u0120": 547}""", JsonTokens, 0.02, 5_000_000);

    [Fact]
    public void DamagedInfo()
    {
        _model.Write("voices.json", """{"voices": [{"name": "v", "file": "wav/v.wav"}]}""");
        Fuzz("lighttts.json",
            """{"name": "n", "version": "2", "languages": ["en", "zh"], "default_voice": "v", "voices": "voices.json", "flow_steps": 4}""",
            JsonTokens, 0.04, 6_000_000);
    }

    [Fact]
    public void DamagedVoices()
    {
        _model.Write("lighttts.json", """{"voices": "voices.json"}""");
        Fuzz("voices.json", """{"prefix": "p<|endofprompt|>", "default": "v", "voices": """
            + """[{"name": "v", "description": "d", "language": "en", "file": "wav/v.wav", "text": "Hi."}]}""", JsonTokens, 0.04, 7_000_000);
    }
}
