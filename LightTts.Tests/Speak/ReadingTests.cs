namespace LightTts.Tests.Speak;

/// <summary>What is read aloud of marked-up files, by --show-text.</summary>
public sealed class ReadingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-reading-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a.md", "---\ntitle: x\n---\n# A heading\n\nSee [the page](https://example.org/x) and *this*.\n\n```\ncode here\n```\n\n- one\n- "
        + "two\n\n| a | b |\n|---|---|\n| c | d |\n",
        "A heading. See the page and this. one. two. a, b. c, d.")]
    [InlineData("a.html",
        "<html><head><title>t</title><style>p{}</style></head><body><nav>menu</nav><h1>A heading</h1><p>See <a href=\"https://example.org\">the   "
        + "page</a> &amp; <b>this</b>.</p>"
        + "<script>var x;</script><ul><li>one</li><li>two</li></ul><table><tr><td>c</td><td>d</td></tr></table></body></html>",
        "A heading. See the page and this. one. two. c, d.")]
    [InlineData("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n<i>Good morning</i>\nto you.\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}And so on.\n",
        "Good morning to you. And so on.")]
    [InlineData("a.vtt", "WEBVTT\n\nNOTE a remark\n\nname\n00:01.000 --> 00:02.000 align:start\n<v Ann>Good morning</v> &amp; welcome.\n",
        "Good morning and welcome.")]
    [InlineData("a.txt", "# not a heading [x](y)\n", null)]
    public async Task Only_what_a_person_would_read(string name, string content, string? expected)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, name), content);
        var result = await SpeakProcess.RunAsync(_folder, ["-f", name, "--show-text", "--timbres", "voices"]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        if (expected is not null)
            Assert.Equal(Words(expected), Words(result.Output));
        else
            Assert.NotEmpty(result.Output);
    }

    [Fact]
    public async Task Unquoted_words_are_one_text_and_a_dash_after_two_dashes_is_text()
    {
        var result = await SpeakProcess.RunAsync(_folder, ["--show-text", "--timbres", "voices", "--", "hello", "unquoted", "-world"]);
        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("hello unquoted", result.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("world", result.Output);
    }

    [Fact]
    public async Task Readings_and_dictionaries_are_handed_on()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "words"), "gnu = guhnoo\n");
        var us = await SpeakProcess.RunAsync(_folder, ["--show-text", "--timbres", "voices", "gnu", "on", "4/5/2020"]);
        var uk = await SpeakProcess.RunAsync(_folder,
            ["--show-text", "--timbres", "voices", "--reading", "uk", "--dictionary", "words", "gnu", "on", "4/5/2020"]);
        Assert.Contains("April", us.Output);
        Assert.Contains("May", uk.Output);
        Assert.Contains("guhnoo", uk.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal((0, 0), (us.ExitCode, uk.ExitCode));
    }

    [Fact]
    public async Task Emoji_are_named_or_dropped_by_option()
    {
        var named = await SpeakProcess.RunAsync(_folder, ["--show-text", "--timbres", "voices", "--emoji", "name", "Well done 👍"]);
        var dropped = await SpeakProcess.RunAsync(_folder, ["--show-text", "--timbres", "voices", "Well done 👍"]);
        Assert.Equal((0, "Well done thumbs up.\n"), (named.ExitCode, named.Output));
        Assert.Equal((0, "Well done.\n"), (dropped.ExitCode, dropped.Output));
    }

    [Theory]
    [InlineData("big.md", "Markdown")]
    [InlineData("big.html", "HTML")]
    public async Task Markup_too_long_to_be_read_as_a_whole_is_an_error_with_a_cure(string name, string format)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, name), string.Concat(Enumerable.Repeat("More words. ", 1_500_000)));
        var result = await SpeakProcess.RunAsync(_folder, ["-f", name, "--show-text", "--timbres", "voices"]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"speak: The {format} is longer than 16,777,216 characters", result.Error);
        Assert.Contains("--format text", result.Error);
    }

    [Fact]
    public async Task A_line_that_does_not_end_loses_nothing()
    {
        var text = string.Join(' ', Enumerable.Range(0, 20_000).Select(i => i % 9 == 0 ? "garden." : "window"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "line.txt"), text);
        var result = await SpeakProcess.RunAsync(_folder, ["-f", "line.txt", "--show-text", "--timbres", "voices"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(text.Split(' ').Length, Words(result.Output).Split(' ').Length);
    }

    [Theory]
    [InlineData("", "nothing to speak")]
    [InlineData("\n \n", "nothing to speak")]
    public async Task An_empty_file_is_said(string content, string expected)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "empty.txt"), content);
        var result = await SpeakProcess.RunAsync(_folder, ["-f", "empty.txt", "--timbres", "voices"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(expected, result.Error);
        Assert.Empty(Directory.GetFiles(_folder, "*.wav"));
    }

    private static string Words(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToLowerInvariant();
}
