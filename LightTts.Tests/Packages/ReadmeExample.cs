using System.Text.RegularExpressions;

namespace LightTts.Tests.Packages;

/// <summary>The README's library example: its first csharp block, a whole Program.cs, and the packages that the lines above it add.</summary>
internal sealed partial record ReadmeExample(string Program, IReadOnlyList<string[]> Packages)
{
    public static ReadmeExample Read(string readme)
    {
        var block = CSharpBlock().Match(readme);
        Assert.True(block.Success, "README.md has no csharp block.");
        var packages = AddPackage().Matches(readme[..block.Index]).Select(match => match.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.True(packages.Count > 0, "README.md has no 'dotnet add package' lines above its first csharp block.");
        return new ReadmeExample(block.Groups[1].Value, packages);
    }

    [GeneratedRegex(@"^```csharp\s*\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CSharpBlock();

    // A comment behind the command says what it is for.
    [GeneratedRegex(@"^\s*dotnet add package ([^#\r\n]+)", RegexOptions.Multiline)]
    private static partial Regex AddPackage();
}
