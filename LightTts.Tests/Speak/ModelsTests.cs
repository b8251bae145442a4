using System.Text.Json;
using LightTts.Tests.Hub;
using LightTts.Tests.Support;

namespace LightTts.Tests.Speak;

/// <summary>speak models: against a hub on the loopback.</summary>
public sealed class ModelsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_model_is_fetched_listed_inspected_and_removed()
    {
        await using var hub = await TestHub.StartAsync();
        var environment = new Dictionary<string, string> { ["HF_ENDPOINT"] = hub.Endpoint.ToString(), ["HF_HOME"] = _folder.Path, ["HF_TOKEN"] = "",
            ["HF_HUB_CACHE"] = "", ["HF_HUB_OFFLINE"] = "" };
        Task<SpeakResult> Speak(params string[] arguments) => SpeakProcess.RunAsync(_folder.Path, arguments, "", environment);
        var pulled = await Speak("models", "pull", FakeModel.Name);
        Assert.Equal((0, true), (pulled.ExitCode, Directory.Exists(pulled.Output.Trim())));
        Assert.StartsWith(Path.Combine(_folder.Path, "hub"), pulled.Output);

        var listed = JsonDocument.Parse((await Speak("models", "list", "--json")).Output).RootElement;
        Assert.Equal((FakeModel.Name, true), (listed[0].GetProperty("name").GetString(), listed[0].GetProperty("complete").GetBoolean()));
        var inspected = await Speak("models", "inspect", FakeModel.Name);
        Assert.Contains("CosyVoice3", inspected.Output);
        Assert.Contains("speech_tokenizer_v3.onnx", inspected.Output);

        Assert.Equal(0, (await Speak("models", "remove", FakeModel.Name)).ExitCode);
        var removed = await Speak("models", "remove", FakeModel.Name);
        Assert.Equal((1, true), (removed.ExitCode, removed.Error.Contains("is not in the cache", StringComparison.Ordinal)));
        var missing = await Speak("hello", "-o", "x.wav", "--model", FakeModel.Name);
        Assert.Equal((1, true), (missing.ExitCode, missing.Error.Contains($"speak models pull {FakeModel.Name}", StringComparison.Ordinal)));
        var offline = await Speak("models", "pull", FakeModel.Name, "--offline");
        Assert.Equal((1, true), (offline.ExitCode, offline.Error.Contains("HF_HUB_OFFLINE", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("'nothing' is no model's name", "models", "pull", "nothing")]
    [InlineData("--endpoint takes an address", "models", "pull", "a/b", "--endpoint", "nowhere")]
    [InlineData("there is no option '--chache'. Did you mean --cache?", "models", "list", "--chache", "x")]
    public async Task Wrong_usage_is_told(string expected, params string[] arguments)
    {
        var result = await SpeakProcess.RunAsync(_folder.Path, arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("speak: " + expected, result.Error);
    }

    /// <summary>Who waits reads why, after each of three tries.</summary>
    [Fact]
    public async Task A_hub_that_is_not_there_is_told()
    {
        string[] arguments = ["models", "pull", FakeModel.Name, "--endpoint", ClosedPort.Address(), "--cache", "."];
        var result = await SpeakProcess.RunAsync(_folder.Path, arguments);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        var lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Contains("Try 2 of 3 follows in", lines[0]);
        Assert.Contains("Try 3 of 3 follows in", lines[1]);
        Assert.Contains("3 times in a row", lines[2]);
    }

    [Fact]
    public async Task Short_names_are_listed()
    {
        var result = await SpeakProcess.RunAsync(_folder.Path, ["models", "list", "--known"]);
        Assert.Contains("FunAudioLLM/Fun-CosyVoice3-0.5B-2512", result.Output);
        Assert.Contains("FunAudioLLM/CosyVoice2-0.5B", result.Output);
    }

    public void Dispose() => _folder.Dispose();
}
