using Deque.AxeCore.Playwright;
using LightTts.Tests.Extensions.Formats;
using Microsoft.Playwright;

namespace LightTts.Tests.Server;

/// <summary>The page in a real browser: Chromium, where it is installed.</summary>
public sealed class BrowserTests : IClassFixture<Chromium>
{
    private const string Speech = "One is a sentence. Two is another.";
    private readonly IBrowser _browser;
    private readonly List<string> _complaints = [];

    public BrowserTests(Chromium chromium)
    {
        Assert.SkipWhen(chromium.Browser is null, "no Chromium on the path: install it (Debian: apt-get install chromium) to test the page");
        _browser = chromium.Browser;
    }

    [Fact]
    public async Task It_speaks_in_the_chosen_voice_shows_the_latency_and_saves_the_audio()
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks(Sounds.Tone(24_000), Sounds.Tone(12_000)) };
        await using var server = await TestServer.StartAsync(pipeline);
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("cosyvoice is ready: 2 voices");
        await page.SelectOptionAsync("#voice", "bob");
        await page.FillAsync("#text", Speech);
        await page.ClickAsync("#speak");
        await Expect(page.Locator("#said")).ToContainTextAsync("1.50 s of speech");
        await Expect(page.Locator("#first")).ToContainTextAsync(" s");
        await Expect(page.Locator("#picture")).ToHaveAttributeAsync("aria-label", "Waveform and spectrogram of 1.50 s of speech");
        Assert.Equal(("bob", Speech), (pipeline.Requests[^1].Voice, pipeline.Requests[^1].Text));
        var saved = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("#save"));
        var clip = AudioClip.FromWav(new MemoryStream(await File.ReadAllBytesAsync(await saved.PathAsync())));
        Assert.Equal((36_000, 24_000), (clip.Samples.Length, clip.SampleRate));
        await ShootAsync(page, "spoken");
        Assert.Empty(_complaints);
    }

    /// <summary>What is kept to draw is bounded: ten minutes fit as ten seconds do.</summary>
    [Fact]
    public async Task It_takes_a_speech_of_ten_minutes()
    {
        var minute = Sounds.Tone(60 * 24_000);
        await using var server = await TestServer.StartAsync(new StubPipeline { Speak = (_, _) =>
            StubPipeline.Chunks([.. Enumerable.Repeat(minute, 10)]) });
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await page.ClickAsync("#speak");
        await Expect(page.Locator("#said")).ToContainTextAsync("600.00 s of speech", new() { Timeout = 60_000 });
        Assert.InRange(await page.EvaluateAsync<int>("picture.columns.length"), 2048, 4096);
        await page.ClickAsync("#stop");
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_is_worked_by_keyboard_and_stops()
    {
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(new TaskCompletionSource().Task, token) };
        await using var server = await TestServer.StartAsync(pipeline);
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator("#text")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator("#first")).ToContainTextAsync(" s");
        Assert.Equal(1, server.Admission.Active);
        await page.Keyboard.PressAsync("Escape");
        await server.Admission.WhenIdle().WaitAsync(TimeSpan.FromSeconds(10));
        await Expect(page.Locator("#said")).ToHaveTextAsync("Stopped.");
        await ShootAsync(page, "stopped");
        await Expect(page.Locator("#speak")).ToBeEnabledAsync();
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_says_what_the_server_says()
    {
        var pipeline = new StubPipeline { Speak = (_, _) => throw new TtsSynthesisException("no") };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:MaxTextLength=100");
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await page.FillAsync("#text", new string('a', 101));
        await page.ClickAsync("#speak");
        await Expect(page.Locator("#speakError")).ToHaveTextAsync("'input' has 101 characters, the limit is 100. (400)");
        await page.FillAsync("#text", "Hi.");
        await page.ClickAsync("#speak");
        await Expect(page.Locator("#speakError")).ToContainTextAsync("The engine failed on this request");
        await Expect(page.Locator("#speak")).ToBeEnabledAsync();
    }

    [Fact]
    public async Task It_speaks_in_the_chosen_style()
    {
        var pipeline = new StubPipeline { Styles = ["calm", "angry"] };
        await using var server = await TestServer.StartAsync(pipeline);
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("calm is ready");
        var style = page.GetByLabel("Style");
        await Expect(style.Locator("option")).ToHaveTextAsync(["calm", "angry"]);
        await style.SelectOptionAsync("angry");
        await Expect(page.Locator("#state")).ToContainTextAsync("angry is ready");
        await page.FillAsync("#how", "softly");
        await page.ClickAsync("#speak");
        await Expect(page.Locator("#said")).ToContainTextAsync("of speech");
        Assert.Equal(("angry", "softly"), (pipeline.Requests[^1].Style, pipeline.Requests[^1].Instruction));
        await page.Locator("#typing").PressSequentiallyAsync("Good day.");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#hangUp")).ToBeDisabledAsync();
        Assert.Equal("angry", pipeline.Requests[^1].Style);
        await ShootAsync(page, "styles");
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_hides_the_styles_where_there_is_one_and_groups_them_by_model()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await Expect(page.Locator("#modelField")).ToBeHiddenAsync();
        await page.EvaluateAsync("""
            const { fetch } = window;
            window.fetch = async (path, options) => path !== "/v1/models" ? fetch(path, options) : Response.json({ data: [
              { id: "cosyvoice", root: "one", languages: ["en"], sample_rate: 24000 },
              { id: "tts-1", root: "two", languages: [], sample_rate: 24000 },
            ] });
            begin();
            """);
        await Expect(page.GetByLabel("Model").Locator("optgroup")).ToHaveCountAsync(2);
        Assert.Equal(["one", "two"], await page.EvaluateAsync<string[]>("[...document.querySelectorAll('optgroup')].map(group => group.label)"));
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_speaks_while_one_types()
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks(Sounds.Tone(6_000)) };
        await using var server = await TestServer.StartAsync(pipeline);
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await page.Locator("#typing").PressSequentiallyAsync("Good morning to you");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#log")).ToHaveTextAsync("Good morning to you");
        await Expect(page.Locator("#typingLength")).ToHaveTextAsync("0.25 s");
        await Expect(page.Locator("#hangUp")).ToBeDisabledAsync(); // the server has closed
        Assert.Equal("Good morning to you", string.Concat(pipeline.Text));
        Assert.Equal("ann", pipeline.Requests[^1].Voice);
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_learns_a_voice_from_a_file_or_the_microphone_and_forgets_it()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var page = await OpenAsync(server);
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await page.SetInputFilesAsync("#file", new FilePayload { Name = "me.wav", MimeType = "audio/wav", Buffer = TestServer.Voice() });
        await page.FillAsync("#name", "me");
        await page.FillAsync("#transcript", "What I say.");
        await page.ClickAsync("#add");
        await Expect(page.Locator("#voiceSaid")).ToHaveTextAsync("The voice me is chosen.");
        await Expect(page.Locator("#voice")).ToHaveValueAsync("me");
        await page.ClickAsync("text=Remove");
        await Expect(page.Locator("#voiceSaid")).ToHaveTextAsync("The voice me was removed.");
        await Expect(page.Locator("#own li")).ToHaveCountAsync(0);

        await page.ClickAsync("#record"); // Chromium's pretended microphone beeps once a second
        await Expect(page.Locator("#recordHint")).ToHaveTextAsync("Recording: 2 s", new() { Timeout = 20_000 });
        await page.ClickAsync("#record");
        await page.FillAsync("#name", "beep");
        await Expect(page.Locator("#transcript")).ToHaveValueAsync(""); // the other voice's is gone
        await ShootAsync(page, "recorded");
        await page.ClickAsync("#add");
        await Expect(page.Locator("#voiceSaid")).ToHaveTextAsync("The voice beep is chosen.");
        await ShootAsync(page, "voice");
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_asks_for_a_key_where_the_server_does()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:ApiKeys:0:Name=one",
            "--Server:ApiKeys:0:Key=1111111111111111");
        var page = await OpenAsync(server);
        await page.FillAsync("#key", "1111111111111111");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#state")).ToContainTextAsync("ready");
        await Expect(page.Locator("#keyCard")).ToBeHiddenAsync();
        await page.Locator("#typing").PressSequentiallyAsync("Hello there.");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#typingLength")).ToContainTextAsync(" s");
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Dark, 360)]
    public async Task It_fits_a_phone_and_the_dark_and_is_accessible(ColorScheme scheme, int width)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        foreach (var path in new[] { "/", "/docs" })
        {
            var page = await OpenAsync(server, path, new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 800 } });
            await Expect(page.Locator(path == "/" ? "#state" : "#operations")).ToContainTextAsync(path == "/" ? "ready" : "/v1/audio/speech");
            Assert.False(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > innerWidth"), "it scrolls sideways");
            // Contrast, names, roles, order: what can be found without a human.
            var found = await page.RunAxe();
            Assert.Empty(found.Violations.Select(rule => $"{rule.Id}: {string.Join(", ", rule.Nodes.Select(node => node.Html))}"));
            await ShootAsync(page, $"{path.Trim('/')}-{scheme}-{width}");
        }
        Assert.Empty(_complaints);
    }

    /// <summary>For a human to look at, where a folder is named.</summary>
    private static async Task ShootAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("LIGHTTTS_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }

    private async Task<IPage> OpenAsync(TestServer server, string path = "/", BrowserNewPageOptions? options = null)
    {
        var page = await _browser.NewPageAsync(options);
        page.PageError += (_, error) => _complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                _complaints.Add(message.Text);
        };
        await page.GotoAsync($"http://localhost:{server.Port}{path}");
        return page;
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);
}
