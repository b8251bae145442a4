using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace LightTts.Samples.Speak.Terminal;

/// <summary>What is wrong with a command line, in one line and in the command line's own terms.</summary>
internal static partial class Usage
{
    /// <returns>The problem, or null.</returns>
    public static string? Problem(ParseResult parsed, string[] arguments)
    {
        var command = parsed.CommandResult.Command;
        if (UnknownOption(parsed, arguments) is { } unknown)
            return $"there is no option '{unknown}'.{Suggestion.For(unknown.Split('=')[0], Names(command))} Text that starts with a dash goes after "
            + $"--";
        return parsed.Errors.Count == 0 ? null : Explain(parsed.Errors[0].Message);
    }

    /// <summary>The command and those above it.</summary>
    public static string Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (var result = parsed.CommandResult; result?.Command is not (null or RootCommand); result = result.Parent as CommandResult)
            names.Insert(0, result.Command.Name);
        return string.Join(' ', names.Prepend("speak"));
    }

    private static IEnumerable<string> Names(Command command) =>
        command.Options.SelectMany(option => option.Aliases.Append(option.Name)).Where(name => name.StartsWith("--", StringComparison.Ordinal));

    /// <summary>The parser takes what it does not know for text; a dash and a letter are an option that somebody mistyped.</summary>
    private static string? UnknownOption(ParseResult parsed, string[] arguments)
    {
        var options = Array.IndexOf(arguments, "--") is >= 0 and var end ? arguments[..end] : arguments;
        var texts = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens).Select(token => token.Value)
            .Concat(parsed.UnmatchedTokens);
        return texts.FirstOrDefault(text => OptionLike().IsMatch(text) && options.Contains(text));
    }

    private static string Explain(string message)
    {
        if (NotOfType().Match(message) is not { Success: true } match)
            return message;
        var (value, option, type) = (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
        var wanted = type.Contains("Int", StringComparison.Ordinal) ? "a whole number"
            : type.Contains("Double", StringComparison.Ordinal) ? "a number"
            : type.EndsWith(nameof(ComputeDevice), StringComparison.Ordinal) ? "auto, cpu or cuda"
            : type.EndsWith(nameof(ComputePrecision), StringComparison.Ordinal) ? "auto, float32, bfloat16, float16 or int8"
            : type.Contains(nameof(AudioDelivery), StringComparison.Ordinal) ? "whole or streaming"
            : "another kind of value";
        return $"{option} takes {wanted}, not '{value}'.";
    }

    [GeneratedRegex("^--?[A-Za-z][^ ]*$")]
    private static partial Regex OptionLike();

    [GeneratedRegex("^Cannot parse argument '(.*)' for option '(.*)' as expected type '(.*)'", RegexOptions.Singleline)]
    private static partial Regex NotOfType();
}
