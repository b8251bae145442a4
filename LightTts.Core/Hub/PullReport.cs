namespace LightTts.Hub;

/// <summary>Adds up what files that are fetched at the same time have got.</summary>
internal sealed class PullReport(IProgress<ModelPullProgress>? progress)
{
    private long _total;
    private long _bytes;

    public void Expect(long bytes) => Interlocked.Add(ref _total, bytes);

    /// <summary>Something failed and is tried again.</summary>
    public void Wait(string trouble) =>
        progress?.Report(new ModelPullProgress("", 0, 0, Interlocked.Read(ref _bytes), Interlocked.Read(ref _total)) { Trouble = trouble });

    /// <summary>So many more bytes of a file are on the disk; fewer where some turned out to be wrong.</summary>
    public void Add(HubFile file, long bytes, long fileBytes)
    {
        var all = Interlocked.Add(ref _bytes, bytes);
        progress?.Report(new ModelPullProgress(file.Path, fileBytes, file.Length, all, Interlocked.Read(ref _total)));
    }
}
