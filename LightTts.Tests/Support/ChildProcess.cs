using System.Diagnostics;
using LightTts.Tests.Faults;
using LightTts.Tests.Gpu;
using LightTts.Tests.Hub;
using LightTts.Tests.Models.CosyVoice.Files;
using LightTts.Tests.Timbres;

namespace LightTts.Tests.Support;

/// <summary>This executable again, in the part of a worker, for tests of what happens between processes and when one of them is killed.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const string RoleVariable = "LIGHTTTS_CHILD", ArgumentsVariable = "LIGHTTTS_CHILD_ARGS";

    /// <summary>Whether this process is somebody's child.</summary>
    public static bool IsChild => Environment.GetEnvironmentVariable(RoleVariable) is not null;

    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public static ChildProcess Start(string role, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        start.Environment[RoleVariable] = role;
        start.Environment[ArgumentsVariable] = string.Join('\n', arguments);
        // Short-lived: what start-up optimisation costs would never be earned back.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return new ChildProcess(Process.Start(start)!);
    }

    /// <summary>The next line of its output, or null at the end.</summary>
    public string? ReadLine() => _process.StandardOutput.ReadLine();

    public List<string> ReadToEnd()
    {
        var lines = new List<string>();
        while (ReadLine() is { } line)
            lines.Add(line);
        return lines;
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Closes its input, for which some wait.</summary>
    public void EndInput() => _process.StandardInput.Close();

    public int WaitForExit()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    /// <summary>Plays the part that the parent asked for.</summary>
    public static bool TryRunRole(out int exitCode)
    {
        exitCode = 0;
        if (Environment.GetEnvironmentVariable(RoleVariable) is not { } role)
            return false;
        var arguments = Environment.GetEnvironmentVariable(ArgumentsVariable)!.Split('\n');
        exitCode = role switch
        {
            TimbreWorker.Writer => TimbreWorker.Write(arguments),
            TimbreWorker.Hammer => TimbreWorker.RunHammer(arguments),
            TimbreWorker.Finder => TimbreWorker.Find(arguments),
            TimbreWorker.Full => TimbreWorker.FillDisk(arguments),
            TimbreWorker.Reader => TimbreWorker.ReadForEver(arguments),
            PullWorker.Role => PullWorker.Pull(arguments),
            ExitWorker.Role => ExitWorker.Leave(arguments),
            DeviceMemoryWorker.Role => DeviceMemoryWorker.Run(),
            DeviceMemoryWorker.Neighbour => DeviceMemoryWorker.TakeMost(),
            DeviceGraphWorker.Role => DeviceGraphWorker.Run(),
            DeviceLossWorker.Role => DeviceLossWorker.Run(arguments),
            FullSizeWorker.Role => FullSizeWorker.Load(arguments),
            _ => 64,
        };
        return true;
    }
}
