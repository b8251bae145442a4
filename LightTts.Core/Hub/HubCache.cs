namespace LightTts.Hub;

/// <summary>The folder of downloaded models in the layout of the Hugging Face hub's own tools: for each model a folder with
/// <c>blobs</c> (content, named
/// by its checksum), <c>snapshots</c> (a commit each, links to blobs) and <c>refs</c> (what commit a branch was), and locks beside them.</summary>
/// <param name="root">The cache.</param>
/// <param name="repository">The model, owner/name.</param>
internal sealed class HubCache(string root, string repository)
{
    private const string Prefix = "models--";

    public string Folder { get; } = Path.Combine(root, FolderName(repository));

    public string Repository => repository;

    private string Blobs => Path.Combine(Folder, "blobs");

    private string Locks => Path.Combine(root, ".locks", FolderName(repository));

    /// <summary>Every model that has a folder in the cache.</summary>
    public static IEnumerable<HubCache> All(string root)
    {
        if (!Directory.Exists(root))
            return [];
        return Directory.EnumerateDirectories(root, Prefix + "*").Select(path => Path.GetFileName(path)[Prefix.Length..].Replace("--", "/",
            StringComparison.Ordinal)).Where(HubName.IsRepository).Order(StringComparer.Ordinal).Select(name => new HubCache(root, name));
    }

    public string Snapshot(string commit) => Path.Combine(Folder, "snapshots", commit);

    public string Blob(HubFile file) => Path.Combine(Blobs, file.Checksum);

    public string Lock(HubFile file) => Path.Combine(Locks, file.Checksum + ".lock");

    public string FileIn(string commit, string path) => Path.Combine([Snapshot(commit), .. path.Split('/')]);

    /// <summary>Makes the folders.</summary>
    public void Prepare()
    {
        foreach (var folder in new[] { Blobs, Locks, Path.Combine(Folder, "refs"), Path.Combine(Folder, "snapshots") })
            Directory.CreateDirectory(folder);
    }

    /// <summary>Whether a file's content is there: as a blob, or in the snapshot itself where links cannot be made.</summary>
    public bool Has(HubFile file, string commit) => IsWhole(Blob(file), file) || IsWhole(FileIn(commit, file.Path), file);

    /// <summary>Bytes of a file that an earlier try left.</summary>
    public long Waiting(HubFile file) => new FileInfo(Blob(file) + ".incomplete") is { Exists: true } partial
        ? Math.Min(partial.Length, file.Length) : 0;

    /// <summary>Puts a file whose blob is there into a snapshot.</summary>
    public void Link(HubFile file, string commit)
    {
        var (path, blob) = (FileIn(commit, file.Path), Blob(file));
        if (!File.Exists(blob) && IsWhole(path, file))
            return;
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var target = Path.GetRelativePath(folder, blob);
        if (new FileInfo(path).LinkTarget == target)
            return;
        // Made aside and moved into its place: nobody sees a snapshot without a file that it had.
        var aside = $"{path}.{Guid.NewGuid():N}";
        try
        {
            File.CreateSymbolicLink(aside, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Windows without developer mode, or a file system without links: the snapshot holds the file itself, as the hub's own tools do it.
            File.Move(blob, path, overwrite: true);
            return;
        }
        File.Move(aside, path, overwrite: true);
    }

    /// <summary>The commit that a revision is, as far as the cache knows; null where it does not.</summary>
    public string? CommitOf(string revision)
    {
        if (HubName.IsCommit(revision))
            return Directory.Exists(Snapshot(revision)) ? revision : null;
        var path = RefPath(revision);
        return File.Exists(path) && File.ReadAllText(path).Trim() is var commit && HubName.IsCommit(commit) ? commit : null;
    }

    /// <summary>Notes what commit a revision is.</summary>
    public void SetCommit(string revision, string commit)
    {
        if (revision == commit)
            return;
        var path = RefPath(revision);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var aside = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllText(aside, commit);
        File.Move(aside, path, overwrite: true);
    }

    /// <summary>Commits that have a folder.</summary>
    public IEnumerable<string> Commits() => Directory.Exists(Path.Combine(Folder, "snapshots"))
        ? Directory.EnumerateDirectories(Path.Combine(Folder, "snapshots")).Select(path => Path.GetFileName(path)).Where(HubName.IsCommit) : [];

    /// <summary>Revisions that are known, with their commits.</summary>
    public IReadOnlyList<(string Revision, string Commit)> Refs()
    {
        var refs = Path.Combine(Folder, "refs");
        return !Directory.Exists(refs) ? [] : [.. Directory.EnumerateFiles(refs, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(refs, path).Replace('\\', '/')).Where(HubName.IsRevision).Order(StringComparer.Ordinal)
            .Select(revision => (revision, CommitOf(revision))).Where(pair => pair.Item2 is not null).Select(pair => (pair.revision, pair.Item2!))];
    }

    /// <summary>Removes all of the model; its locks stay, for somebody may be waiting for one.</summary>
    public void RemoveAll() => Directory.Delete(Folder, recursive: true);

    /// <summary>Removes one commit and the blobs that no other one has.</summary>
    public void Remove(string commit)
    {
        Directory.Delete(Snapshot(commit), recursive: true);
        foreach (var (revision, _) in Refs().Where(pair => pair.Commit == commit))
            File.Delete(RefPath(revision));
        var used = Commits().SelectMany(other => Directory.EnumerateFiles(Snapshot(other), "*", SearchOption.AllDirectories))
            .Select(path => new FileInfo(path).LinkTarget is { } target ? Path.GetFileName(target) : "").ToHashSet(StringComparer.Ordinal);
        foreach (var blob in Directory.Exists(Blobs) ? Directory.EnumerateFiles(Blobs) : [])
            if (!used.Contains(Path.GetFileName(blob)))
                File.Delete(blob);
    }

    /// <summary>Locks of the model that have ever been taken.</summary>
    public IEnumerable<string> AllLocks() => Directory.Exists(Locks) ? Directory.EnumerateFiles(Locks, "*.lock") : [];

    private static string FolderName(string repository) => Prefix + repository.Replace("/", "--", StringComparison.Ordinal);

    private static bool IsWhole(string path, HubFile file)
    {
        var info = new FileInfo(path);
        var real = info.LinkTarget is null ? info : info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
        return real is { Exists: true } && real.Length == file.Length;
    }

    private string RefPath(string revision) => Path.Combine([Folder, "refs", .. revision.Split('/')]);
}
