using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using TorchSharp;

namespace LightTts.Torch;

/// <summary>Loads the native libraries of TorchSharp, once in a process, before anything touches <see cref="torch"/>.</summary>
/// <remarks>
/// The libraries come from a NuGet package (libtorch beside the application) or from a
/// configured folder (a PyTorch install's lib folder). Where the system's
/// libstdc++ is older than GCC 13 (Debian 12, Ubuntu 22.04, RHEL 9), a patched copy of
/// libLibTorchSharp.so is loaded (see <see cref="ElfVersionPatch"/>); the
/// original, which may be shared by a package cache, is never changed.
/// </remarks>
internal static class TorchRuntime
{
    private static readonly Lock Gate = new();
    private static string? _loadedFrom;

    /// <summary>The folder with libtorch's libraries; null before they are loaded.</summary>
    public static string? LibtorchFolder { get; private set; }

    /// <summary>Loads the libraries if that has not happened yet.</summary>
    /// <param name="folder">A folder with libtorch's libraries, or null for those beside the application.</param>
    /// <exception cref="TtsBackendException">They cannot be loaded; the message names the package to add.</exception>
    public static void EnsureLoaded(string? folder = null)
    {
        lock (Gate)
        {
            if (_loadedFrom is not null)
                return;
            if (folder is not null && !Directory.Exists(folder))
                throw new TtsBackendException($"The folder of native libraries '{folder}' does not exist. Correct "
                + $"TtsPipelineOptions.NativeLibraryPath, or leave it out.");
            var folders = new NativeLibraryFolders(folder);
            if (folder is not null)
                RefuseSecond(folders);
            try
            {
                _loadedFrom = Load(folders);
                torch.InitializeDeviceType(DeviceType.CPU);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or TypeInitializationException or NotSupportedException
                or EntryPointNotFoundException or IOException or UnauthorizedAccessException)
            {
                _loadedFrom = null;
                throw Missing(folders, e);
            }
        }
    }

    private static string Load(NativeLibraryFolders folders)
    {
        if (!OperatingSystem.IsWindows())
            SetNativeDefaults();
        // By full path and in the order of their dependencies: later loads by name then
        // find them in memory. All from the folder that has the main one: a
        // CUDA library of another libtorch would fit nothing.
        var home = Path.GetDirectoryName(folders.Find("torch_cpu"))
            ?? throw new DllNotFoundException($"{NativeLibraryFolders.FileName("torch_cpu")} was not found in: {folders}");
        LibtorchFolder = home;
        foreach (var library in (string[])["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"])
        {
            var path = Path.Combine(home, NativeLibraryFolders.FileName(library));
            if (File.Exists(path))
                NativeLibrary.Load(path);
            else if (library is "c10" or "torch")
                throw new DllNotFoundException($"{NativeLibraryFolders.FileName(library)} was not found in: {home}");
        }
        var shim = folders.Find("LibTorchSharp")
            ?? throw new DllNotFoundException($"{NativeLibraryFolders.FileName("LibTorchSharp")} was not found in: {folders}");
        if (!NativeLibrary.TryLoad(shim, out _))
            NativeLibrary.Load(OperatingSystem.IsLinux() ? PatchedCopy(shim) ?? shim : shim);
        return shim;
    }

    /// <summary>Ends the load where the application brings a libtorch of its own beside the configured one.</summary>
    /// <remarks>
    /// TorchSharp looks for libtorch_cpu by name in the application's folders before it
    /// is content with the one in memory; two of them end the process ("Tried to
    /// register multiple backend fallbacks").
    /// </remarks>
    private static void RefuseSecond(NativeLibraryFolders folders)
    {
        if (folders.FindAll("torch_cpu").Select(Path.GetFullPath).Distinct().ToArray() is not [var wanted, var second, ..])
            return;
        throw new TtsBackendException(
            $"TtsPipelineOptions.NativeLibraryPath names '{wanted}', but the application brings '{second}', and a process can hold only one "
            + $"libtorch. "
            + "Build the application without a libtorch package (LightTts' own: -p:LightTtsBackend=external), or leave NativeLibraryPath out.");
    }

    /// <summary>Settings that libtorch reads from the environment, when it is loaded or at their first use; what the user set stays.</summary>
    /// <remarks>.NET's own environment is a copy that native code does not see.</remarks>
    private static void SetNativeDefaults()
    {
        // Warnings about the processor would go to standard error, which is the application's.
        SetEnvironmentVariable("TORCH_CPP_LOG_LEVEL", "ERROR", overwrite: 0);
        // On Hopper libtorch prefers cuDNN's attention, which builds a plan for every new shape; speech has a new length in every pass.
        SetEnvironmentVariable("TORCH_CUDNN_SDPA_DEPRIORITIZED", "1", overwrite: 0);
        // By default OpenMP's threads spin for a while when an operation is done, in case another follows. Here that takes a processor from the
        // lanes and stages beside them, and from whatever else the application does.
        SetEnvironmentVariable("OMP_WAIT_POLICY", "passive", overwrite: 0);
        NativeHeap.KeepLess();
    }

    [DllImport("libc", EntryPoint = "setenv", BestFitMapping = false)]
    private static extern int SetEnvironmentVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);

    /// <summary>A copy without the hard need for GLIBCXX_3.4.32, kept in the user's own cache
    /// folder under the hash of the original; null where there is no such need.</summary>
    [SupportedOSPlatform("linux")]
    private static string? PatchedCopy(string original)
    {
        var bytes = File.ReadAllBytes(original);
        var name = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        if (!ElfVersionPatch.MakeGlibCxxNeedWeak(bytes))
            return null;
        var folder = Path.Combine(CacheRoot(), name);
        var path = Path.Combine(folder, Path.GetFileName(original));
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
            return path;
        // Another process may do the same at the same time: the rename makes either copy whole.
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var temporary = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllBytes(temporary, bytes);
        File.Move(temporary, path, overwrite: true);
        return path;
    }

    // A home that cannot be written to (a service account): a private temporary folder does.
    private static string CacheRoot() => CacheFolder("natives") ?? Directory.CreateTempSubdirectory("lighttts-natives-").FullName;

    /// <summary>A folder in the user's own cache; null where there is none that can be written to.</summary>
    public static string? CacheFolder(string name)
    {
        // Of a user who is new here the folder may not be there yet, which is no reason to leave a copy in the temporary folder with every start.
        var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (home.Length == 0)
            return null;
        try
        {
            return Directory.CreateDirectory(Path.Combine(home, "LightTts", name)).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static TtsBackendException Missing(NativeLibraryFolders folders, Exception cause) => new(
        "The native libraries of libtorch could not be loaded. Add them to the application that uses LightTts: "
        + $"'dotnet add package {CpuPackage}' for the CPU, 'dotnet add package "
        + $"{(OperatingSystem.IsWindows() ? "TorchSharp-cuda-windows" : "TorchSharp-cuda-linux")}' "
        + $"for CUDA, or set TtsPipelineOptions.NativeLibraryPath to a folder that has them. Looked in: {folders}. Cause: {cause.Message}", cause);

    private static string CpuPackage => "TorchSharp-cpu --version 0.107.0";
}
