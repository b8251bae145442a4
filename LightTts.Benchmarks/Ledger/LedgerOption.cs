using System.CommandLine;

namespace LightTts.Benchmarks.Ledger;

/// <summary><c>--ledger</c>, and <c>--activities</c> beside it.</summary>
internal static class LedgerOption
{
    public static Option<FileInfo?> Create() => new("--ledger")
    {
        Description = "File for an account of the device's time by kernel, stream and call, recorded by CUPTI, which slows what is measured.",
    };

    public static Option<FileInfo?> CreateActivities() => new("--activities")
    {
        Description = "File for a list of all that host and device did in one pass of each measurement, the one of median length: every call, kernel "
            + "and copy in the order of time, when it began and how long it took, for how long the device had done nothing before it, by how much it "
            + "ended later than all before it, and when it was asked for. Recorded by CUPTI, which slows what is measured.",
    };
}
