namespace LightTts.Tests.Support;

/// <summary>A folder of a test's own, in shared memory where there is such a thing.</summary>
internal sealed class MemoryFolder : IDisposable
{
    public MemoryFolder()
    {
        var parent = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, "lighttts-test-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Deletes it. An extraction that nobody waits for any more may still leave a file while the folder is emptied.</summary>
    public void Dispose()
    {
        if (!SpinWait.SpinUntil(TryDelete, TimeSpan.FromSeconds(10)))
            Directory.Delete(Path, recursive: true);
    }

    private bool TryDelete()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
            return true;
        }
        catch (IOException) when (Directory.Exists(Path))
        {
            return false;
        }
    }
}
