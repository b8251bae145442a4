using System.Reflection;
using System.Text.RegularExpressions;
using LightTts.Text;

namespace LightTts.Tests.Text;

/// <summary>Why reading is linear: no pattern of the text front end repeats without a bound.</summary>
public sealed partial class BoundedPatternTests
{
    // A run of one class with nothing behind it that could fail is walked once; so is one at the text's start.
    private static readonly HashSet<string> s_harmless =
        ["ChineseNormalizer.Pause", "ChineseNormalizer.Blanks", "Markup.Emphasis", "Markup.LineStart"];

    public static TheoryData<string> Patterns
    {
        get
        {
            var patterns = new TheoryData<string>();
            foreach (var type in typeof(TextFrontEnd).Assembly.GetTypes())
                if (type.Namespace is "LightTts.Text" or "LightTts.Text.English")
                    foreach (var method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                        if (method.GetCustomAttribute<GeneratedRegexAttribute>() is { } generated)
                            patterns.Add($"{type.Name}.{method.Name}: {generated.Pattern}");
            return patterns;
        }
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void RepeatsWithABound(string pattern)
    {
        var bare = Class().Replace(Escaped().Replace(pattern[(pattern.IndexOf(':', StringComparison.Ordinal) + 2)..], "x"), "x");
        Assert.True(s_harmless.Contains(pattern.Split(':')[0]) || !Unbounded().IsMatch(bare), bare);
    }

    [Fact]
    public void AllPatternsAreSeen() => Assert.InRange(Patterns.Count, 60, int.MaxValue);

    [GeneratedRegex(@"\\(?:[pP]\{\w+\}|.)")]
    private static partial Regex Escaped();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Class();

    [GeneratedRegex(@"[*+]|\{\d+,\}")]
    private static partial Regex Unbounded();
}
