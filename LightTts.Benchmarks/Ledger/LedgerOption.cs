using System.CommandLine;

namespace LightTts.Benchmarks.Ledger;

/// <summary><c>--ledger</c>.</summary>
internal static class LedgerOption
{
    public static Option<FileInfo?> Create() => new("--ledger")
    {
        Description = "File for an account of the device's time by kernel, stream and call, recorded by CUPTI, which slows what is measured.",
    };
}
