using System.Runtime.CompilerServices;

namespace LightTts;

/// <summary>Collects what is wrong with options: each rule is stated once, for the library and for hosts that bind options from files.</summary>
internal sealed class OptionFaults
{
    /// <summary>Timers of .NET end at 49.7 days; requests are held to the same limit.</summary>
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(40);

    private readonly List<OptionFault> _found = [];

    public IReadOnlyList<OptionFault> Found => _found;

    /// <summary>What is put before the names of the options.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Notes the value if the rule does not hold.</summary>
    public void Require<T>(bool holds, T value, string cure, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (!holds)
            _found.Add(new OptionFault(Prefix + option, value, cure));
    }

    public void RequireDefined<T>(T value, [CallerArgumentExpression(nameof(value))] string option = "") where T : struct, Enum =>
        Require(Enum.IsDefined(value), value, $"Use {string.Join(", ", Enum.GetNames<T>()[..^1])} or {Enum.GetNames<T>()[^1]}.", option);

    /// <summary>A time that a timer can wait, null where there need not be one.</summary>
    public void RequireTime(TimeSpan? value, string otherwise, bool mayBeInfinite = false,
        [CallerArgumentExpression(nameof(value))] string option = "") =>
        Require(IsTime(value) || (mayBeInfinite && value == Timeout.InfiniteTimeSpan), value,
            $"Set a time above zero and at most 40 days, or {otherwise}.", option);

    /// <summary>Whether a timer can wait so long.</summary>
    public static bool IsTime(TimeSpan? time) => time is null || (time > TimeSpan.Zero && time <= LongestTime);

    public void AddRange(OptionFaults faults) => _found.AddRange(faults.Found);
}
