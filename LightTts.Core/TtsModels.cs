using LightTts.FileSystem;
using LightTts.Hub;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;

namespace LightTts;

/// <summary>Fetches models from a hub (Hugging Face, ModelScope, or one that speaks as they do), and looks after those that have been
/// fetched.</summary>
/// <remarks>
/// All members may be used by several threads and processes at once: a file that two of them want is fetched once. Nothing here is called by a
/// pipeline: who does not call <see cref="PullAsync"/> connects to nobody.
/// </remarks>
/// <example>
/// <code>
/// var model = await TtsModels.PullAsync("cosyvoice3");
/// await using var pipeline = await TtsPipeline.LoadAsync(new TtsPipelineOptions { ModelPath = model.Path });
/// </code>
/// </example>
public static class TtsModels
{
    /// <summary>Models that have a short name.</summary>
    public static IReadOnlyList<KnownModel> Known { get; } =
    [
        new("cosyvoice3", "FunAudioLLM/Fun-CosyVoice3-0.5B-2512", "FunAudioLLM/Fun-CosyVoice3-0.5B-2512",
            "Fun-CosyVoice3-0.5B-2512: nine languages and many Chinese dialects, follows instructions"),
        new("cosyvoice2", "FunAudioLLM/CosyVoice2-0.5B", "iic/CosyVoice2-0.5B",
            "CosyVoice2-0.5B: Chinese, English, Japanese, Korean and Chinese dialects"),
    ];

    /// <summary>Fetches the files of a model that LightTts reads, as far as they are not in the cache. What an earlier try left is gone on with, each
    /// file's checksum is compared with the hub's before the file gets its name, and at most one process fetches a file.</summary>
    /// <param name="model">A name on the hub (owner/name), or a short one: <see cref="Known"/>.</param>
    /// <param name="options">Where from and where to. Default: as the hub's own tools are set up.</param>
    /// <param name="progress">Told how far it has come, from several threads.</param>
    /// <param name="cancellationToken">Ends it at once; what has been fetched is kept for the next try.</param>
    /// <returns>The model in the cache.</returns>
    /// <exception cref="TtsDownloadException">The hub refuses, fails or sends something wrong, the disk has no room, or the model is not in the cache
    /// and nobody may be asked; the message says the cure.</exception>
    /// <exception cref="ArgumentException">The name cannot be one, or an option is out of its range.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<CachedModel> PullAsync(string model, ModelHubOptions? options = null, IProgress<ModelPullProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (settings, cache) = Resolve(model, options);
        if (settings.Offline)
            return Cached(cache, settings.Revision) is { IsComplete: true } found ? found : throw new TtsDownloadException(
                $"{cache.Repository} ({settings.Revision}) is not in {settings.Cache} as a whole, and nobody may be asked. Switch offline mode off "
                + "(HF_HUB_OFFLINE, --offline), or name the cache that has it (HF_HUB_CACHE, --cache).");
        // A commit never changes: when all of it is there, there is nothing to ask.
        if (settings.Options.Include.Count == 0 && HubName.IsCommit(settings.Revision)
            && Cached(cache, settings.Revision) is { IsComplete: true } known)
            return known;
        using var pull = new HubPull(settings, cache, progress);
        var commit = await pull.RunAsync((all, folder) => ModelFileNames.Needed(all, folder, settings.Options.Include), cancellationToken)
            .ConfigureAwait(false);
        return Describe(cache, commit);
    }

    /// <summary>The models in the cache that LightTts can use; other models of the hub's are passed over.</summary>
    /// <param name="options">Where the cache is.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static IReadOnlyList<CachedModel> List(ModelHubOptions? options = null)
    {
        var settings = Settings(options ?? new ModelHubOptions());
        return [.. HubCache.All(settings.Cache).SelectMany(cache => cache.Commits().Select(commit => Describe(cache, commit)))
            .Where(model => ModelFiles.IsKnown(model.Path))];
    }

    /// <summary>Looks for a model in the cache; asks nobody.</summary>
    /// <param name="model">A name on the hub (owner/name), or a short one.</param>
    /// <param name="options">Where the cache is, and which revision is meant.</param>
    /// <returns>The model, or null where it is not there as a whole.</returns>
    /// <exception cref="ArgumentException">The name cannot be one, or an option is out of its range.</exception>
    public static CachedModel? Find(string model, ModelHubOptions? options = null)
    {
        var (settings, cache) = Resolve(model, options);
        return Cached(cache, settings.Revision) is { IsComplete: true } found ? found : null;
    }

    /// <summary>Whether this is a name that a model may have on a hub, or a short one; a folder of that name goes first wherever both
    /// are meant.</summary>
    public static bool IsName(string model) => Known.Any(known => IsShortName(known, model)) || HubName.IsRepository(model);

    /// <summary>Removes a model from the cache; a process that has it loaded keeps it until it ends.</summary>
    /// <param name="model">A name on the hub (owner/name), or a short one.</param>
    /// <param name="options">Where the cache is. With a <see cref="ModelHubOptions.Revision"/> only that goes; without, all of the model.</param>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="TtsDownloadException">It is being fetched now.</exception>
    /// <exception cref="ArgumentException">The name cannot be one, or an option is out of its range.</exception>
    public static bool Remove(string model, ModelHubOptions? options = null)
    {
        var (settings, cache) = Resolve(model, options);
        if (!Directory.Exists(cache.Folder))
            return false;
        List<FileLock> held = [];
        try
        {
            foreach (var path in cache.AllLocks())
                held.Add(FileLock.TryAcquire(path, TimeSpan.Zero, anyOwner: true)
                    ?? throw new TtsDownloadException($"{cache.Repository} is being fetched by a process. Wait for it, or end it, and try again."));
            if (options?.Revision is null)
                cache.RemoveAll();
            else if (cache.CommitOf(settings.Revision) is { } commit)
                cache.Remove(commit);
            else
                return false;
            return true;
        }
        finally
        {
            held.ForEach(locked => locked.Dispose());
        }
    }

    /// <summary>Looks at a model directory without loading its weights.</summary>
    /// <param name="path">The directory, or the name of a model in the cache.</param>
    /// <param name="options">Where the cache is, and which revision is meant.</param>
    /// <exception cref="TtsModelLoadException">It is not there, or its files are missing, damaged, or contradict each other.</exception>
    public static ModelSummary Inspect(string path, ModelHubOptions? options = null)
    {
        var cached = Directory.Exists(path) || !IsName(path) ? null : Find(path, options) ?? throw new TtsModelLoadException(
            $"There is no folder '{path}', and no model of that name in the cache. Fetch it: speak models pull {path}");
        var folder = cached?.Path ?? path;
        var directory = ModelDirectory.Open(folder);
        var root = directory.Files.Root;
        return new ModelSummary
        {
            Name = cached is not null && directory.Name == Path.GetFileName(root) ? cached.Name : directory.Name,
            Path = root,
            Family = directory.Config.Generation.Family,
            License = directory.License,
            Languages = directory.Languages,
            SampleRate = directory.Config.SampleRate,
            FlowSteps = directory.FlowSteps,
            Voices = [.. directory.Voices.Select(voice => voice.Name)],
            Styles = [.. directory.Files.Styles.Select(style => style.Name)],
            Files = [.. FilesOf(root).Select(file => KeyValuePair.Create(file.Name, file.Bytes))],
        };
    }

    /// <summary>Writes a model directory with the large products of the language model and the flow in 8-bit numbers, as
    /// <see cref="ComputePrecision.Int8"/> computes with: smaller, and loaded without any work. It speaks the same as the model that it was made
    /// from does with that precision, and can be loaded with no other.</summary>
    /// <param name="model">The model directory, or the name of a model in the cache.</param>
    /// <param name="folder">The folder to make; it must not be there, or be empty. It appears when it is complete.</param>
    /// <param name="nativeLibraryPath">As <see cref="TtsPipelineOptions.NativeLibraryPath"/>.</param>
    /// <param name="cancellationToken">Ends it; nothing is left behind.</param>
    /// <exception cref="TtsModelLoadException">The model cannot be used, or has been converted before.</exception>
    /// <exception cref="TtsBackendException">A native backend is missing.</exception>
    /// <exception cref="IOException">The folder is not empty, or cannot be written to.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task ConvertAsync(string model, string folder, string? nativeLibraryPath = null,
        CancellationToken cancellationToken = default)
    {
        var source = Inspect(model).Path;
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            throw new IOException($"{target} is there and not empty; name another folder, or remove it.");
        var aside = $"{target}.{Guid.NewGuid():N}.part";
        try
        {
            Directory.CreateDirectory(aside);
            await Task.Run(() =>
            {
                TorchRuntime.EnsureLoaded(nativeLibraryPath);
                ModelConverter.Convert(ModelDirectory.Open(source), aside, cancellationToken);
            }, cancellationToken).ConfigureAwait(false);
            if (Directory.Exists(target))
                Directory.Delete(target);
            Directory.Move(aside, target);
        }
        finally
        {
            if (Directory.Exists(aside))
                Directory.Delete(aside, recursive: true);
        }
    }

    private static (HubSettings Settings, HubCache Cache) Resolve(string model, ModelHubOptions? options)
    {
        ArgumentNullException.ThrowIfNull(model);
        var settings = Settings(options ?? new ModelHubOptions());
        var name = Known.FirstOrDefault(known => IsShortName(known, model)) is { } found
            ? (settings.Kind == ModelHubKind.ModelScope ? found.ModelScope : found.HuggingFace) : model;
        if (!HubName.IsRepository(name))
            throw new ArgumentException($"'{model}' is no model's name: it is owner/name, or one of {string.Join(", ", Known.Select(known =>
                known.ShortName))}.", nameof(model));
        if (!HubName.IsRevision(settings.Revision))
            throw new ArgumentException($"'{settings.Revision}' is no revision: it is a branch, a tag or a commit.", nameof(options));
        return (settings, new HubCache(settings.Cache, name));
    }

    private static HubSettings Settings(ModelHubOptions options) => HubSettings.Resolve(options, Environment.GetEnvironmentVariable);

    // The short name, and what the folder is called: people type both.
    private static bool IsShortName(KnownModel known, string model) => model.Equals(known.ShortName, StringComparison.OrdinalIgnoreCase)
        || model.Equals(known.HuggingFace.Split('/')[1], StringComparison.OrdinalIgnoreCase);

    private static CachedModel? Cached(HubCache cache, string revision) =>
        cache.CommitOf(revision) is { } commit && Directory.Exists(cache.Snapshot(commit)) ? Describe(cache, commit) : null;

    private static CachedModel Describe(HubCache cache, string commit) => new()
    {
        Name = cache.Repository,
        Path = cache.Snapshot(commit),
        Commit = commit,
        Revisions = [.. cache.Refs().Where(pair => pair.Commit == commit).Select(pair => pair.Revision)],
        Bytes = FilesOf(cache.Snapshot(commit)).Sum(file => file.Bytes),
        IsComplete = ModelFiles.IsComplete(cache.Snapshot(commit)),
    };

    private static IEnumerable<(string Name, long Bytes)> FilesOf(string folder) => new DirectoryInfo(folder)
        .EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal)
        .Select(file => (Path.GetRelativePath(folder, file.FullName).Replace('\\', '/'), LengthOf(file)));

    private static long LengthOf(FileInfo file) =>
        (file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo) is { Exists: true } real ? real.Length : 0;
}
