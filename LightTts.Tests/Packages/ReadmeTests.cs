using System.Text.RegularExpressions;
using LightTts.Extensions;
using LightTts.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace LightTts.Tests.Packages;

/// <summary>The README's blocks that need no packages; <see cref="PackageTests"/> has the others.</summary>
[Trait("Category", "Package")]
public sealed partial class ReadmeTests
{
    /// <summary>Who adds a block says in <see cref="ReadmeBlock"/> how it is checked.</summary>
    [Fact]
    public void Every_block_has_its_check()
    {
        var blocks = ReadmeBlock.All();
        Assert.True(blocks.Count >= 15, $"only {blocks.Count} blocks were found");
        Assert.All(blocks, block => Assert.True(block.Check is not null, $"Nobody checks this {block.Language} block, or two do:\n{block.Text}"));
    }

    [Fact]
    public void What_the_build_runs_is_what_is_written()
    {
        var script = File.ReadAllText(Path.Combine(Repo.Root, ".ci", "run"));
        foreach (var line in ReadmeBlock.All(ReadmeCheck.RunByCi).SelectMany(block => block.Lines))
            Assert.Contains(line.Replace(" -o hello.wav", " -o "), script);
    }

    [Fact]
    public void Configuration_names_options_that_there_are()
    {
        foreach (var block in ReadmeBlock.All(ReadmeCheck.Bound))
        {
            using var json = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(block.Text));
            var section = new ConfigurationBuilder().AddJsonStream(json).Build().GetSection("LightTts");
            Assert.NotEmpty(section.GetChildren());
            Assert.Empty(OptionNames.Faults(section));
            var options = new LightTtsOptions();
            section.Bind(options);
            options.ModelPath = Repo.TinyEn;
            Assert.True(new LightTtsOptionsValidator().Validate(null, options).Succeeded);
        }
    }

    [Fact]
    public async Task The_speak_command_knows_the_options_that_are_written()
    {
        var speak = Path.Combine(Repo.Root, "LightTts.Samples", "Speak", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0",
            "speak.dll");
        Assert.SkipUnless(File.Exists(speak), "the speak sample is not built");
        var help = await ConsoleProcess.RunAsync(Repo.Root, null, "dotnet", speak, "--help");
        foreach (var command in (string[])["timbres", "models"])
            help += await ConsoleProcess.RunAsync(Repo.Root, null, "dotnet", speak, command, "--help");
        var blocks = ReadmeBlock.All(ReadmeCheck.SpeakOptions);
        Assert.NotEmpty(blocks);
        foreach (var option in blocks.SelectMany(block => block.Lines).SelectMany(line => SpeakOption().Matches(line.Split(" | ")[0])).Select(match =>
            match.Value.Trim()))
            Assert.Matches($@"(?<![\w-]){Regex.Escape(option)}(?![\w-])", help);
    }

    [Fact]
    public void Projects_and_scripts_that_are_named_exist()
    {
        var named = ReadmeBlock.All().Where(block => block.Language == "sh").SelectMany(block => block.Lines).SelectMany(line =>
            NamedPath().Matches(line)).Select(match => match.Groups[1].Value).ToList();
        Assert.True(named.Count > 4);
        Assert.All(named, name => Assert.True(Path.Exists(Path.Combine(Repo.Root, name)), $"README.md names {name}, which does not exist"));
    }

    [GeneratedRegex(@"(?<=\s)--?[a-z][\w-]*")]
    private static partial Regex SpeakOption();

    [GeneratedRegex(@"(?:--project |^\./|^(?=LightTts\.))([\w./-]+)")]
    private static partial Regex NamedPath();
}
