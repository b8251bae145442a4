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

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
