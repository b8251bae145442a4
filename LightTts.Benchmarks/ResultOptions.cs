using System.CommandLine;

namespace LightTts.Benchmarks;

/// <summary>Options that <c>speak</c> and <c>load</c> share: the file of figures, and the length of what random weights speak.</summary>
internal sealed class ResultOptions
{
    private readonly Option<FileInfo?> _results = new("--results") { Description = "File of one flat object to which the figures are added." };
    private readonly Option<string> _prefix = new("--prefix") { Description = "Put before every key in that file.", DefaultValueFactory = _ => "" };

    public Option<int?> SpeechTokens { get; } = new("--speech-tokens")
    {
        Description = "Speech tokens (25 a second) of every sentence, for models with random weights, whose sentences end at odd places.",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_results);
        command.Options.Add(_prefix);
        command.Options.Add(SpeechTokens);
    }

    /// <summary>Adds a figure where a file was named.</summary>
    public void Write(ParseResult parsed, string key, double? value)
    {
        if (parsed.GetValue(_results) is { } file)
            ResultsFile.Merge(file, parsed.GetValue(_prefix)!, [new(key, value)]);
    }
}
