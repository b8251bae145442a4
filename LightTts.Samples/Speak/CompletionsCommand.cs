using System.CommandLine;

namespace LightTts.Samples.Speak;

/// <summary><c>speak completions bash|zsh|fish|powershell</c>: a script for the shell to load.</summary>
internal static class CompletionsCommand
{
    public static Command Create()
    {
        var command = new Command("completions", "Prints a script that completes options in a shell.");
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or powershell." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "powershell");
        command.Arguments.Add(shell);
        command.SetAction(parsed => Console.Out.WriteLine(Script(parsed.GetValue(shell)!, parsed.RootCommandResult.Command)));
        return command;
    }

    private static string Script(string shell, Command root)
    {
        var options = root.Options.Where(option => option.Name.StartsWith("--", StringComparison.Ordinal)).OrderBy(option =>
            option.Name, StringComparer.Ordinal).ToList();
        var words = string.Join(' ', root.Subcommands.Select(command => command.Name).Concat(options.Select(option => option.Name)));
        return shell switch
        {
            "bash" => $$"""
                _speak() {
                  case ${COMP_WORDS[COMP_CWORD]} in
                    -*|t*|m*|c*) COMPREPLY=($(compgen -W "{{words}}" -- "${COMP_WORDS[COMP_CWORD]}")) ;;
                    *) COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")) ;;
                  esac
                }
                complete -o filenames -F _speak speak
                """,
            "zsh" => $$"""
                #compdef speak
                _speak() { compadd -- {{words}}; _files }
                compdef _speak speak
                """,
            "fish" => string.Join('\n', root.Subcommands.Select(command =>
            $"complete -c speak -n __fish_use_subcommand -a {command.Name} -d '{Quoted(command.Description)}'")
                .Concat(options.Select(option => $"complete -c speak -l {option.Name[2..]} -d '{Quoted(option.Description)}'"))),
            _ => $$"""
                Register-ArgumentCompleter -Native -CommandName speak -ScriptBlock {
                  param($word) '{{words}}'.Split(' ') | Where-Object { $_ -like "$word*" }
                }
                """,
        };
    }

    private static string Quoted(string? text) => (text ?? "").Replace("'", "\\'");
}
