using System.Security.Cryptography;
using System.Text;

namespace LightTts.Cuda;

/// <summary>Own kernels on the current device: compiled from the sources in the assembly when they are first asked for, and kept on disk for the
/// next time, under a name made from all that decides the result.</summary>
internal sealed class CudaModule : IDisposable
{
    private readonly nint _module;

    private CudaModule(nint module, int capability, bool hasGroups)
    {
        _module = module;
        Overlap = capability >= 90 && CudaDriver.Version >= 12_030;
        IsLarge = capability is >= 90 and < 120;
        HasGroups = hasGroups;
    }

    /// <summary>Whether kernels may start before those before them have ended: from compute capability 9.0 on, with drivers that
    /// capture it.</summary>
    public bool Overlap { get; }

    /// <summary>Whether the card has clusters of blocks, and 227 KB of shared memory for each: a data centre's, from 9.0 on.</summary>
    public bool IsLarge { get; }

    /// <summary>Whether 4 warps can multiply together what lies in shared memory (tiles.cuh), and tiles come there by themselves
    /// (tensor_map.cuh): a 9.0's alone, with drivers of CUDA 12.0 or later.</summary>
    public bool HasGroups { get; }

    /// <summary>Compiles and loads, on a thread whose current device it is for.</summary>
    /// <param name="sources">Files of Cuda/Kernels.</param>
    /// <param name="definitions">What their sizes are.</param>
    /// <param name="compiler">The compiler.</param>
    /// <param name="cacheFolder">Where compiled code is kept; null: nowhere.</param>
    /// <param name="isPlain">Whether it is to do without what the card alone has: as cards do that do not have it.</param>
    /// <exception cref="InvalidOperationException">It does not compile, or the device does not take it.</exception>
    public static CudaModule Load(IReadOnlyList<string> sources, IReadOnlyDictionary<string, int> definitions, KernelCompiler compiler,
        string? cacheFolder, bool isPlain = false)
    {
        var capability = CudaDriver.ComputeCapability(Math.Max(0, CudaStream.CurrentDevice));
        var groups = capability == 90 && CudaDriver.HasTensorMaps && !isPlain;
        var source = string.Join('\n', sources.Prepend("primitives.cuh").Select(Read));
        string[] options =
        [
            // A 9.0's own instructions are of no other card, and so need to be asked for.
            $"--gpu-architecture=sm_{capability}{(groups ? "a" : "")}", "--std=c++17", "--extra-device-vectorization",
            .. definitions.OrderBy(size => size.Key, StringComparer.Ordinal).Select(size => $"-D{size.Key}={size.Value}"),
        ];
        var key = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [compiler.Version, .. options, source])));
        var path = cacheFolder is null ? null : Path.Combine(cacheFolder, Convert.ToHexStringLower(key)[..32] + ".cubin");
        if (path is not null && TryRead(path) is { } known && CudaDriver.TryLoadModule(known) is not 0 and var module)
            return new CudaModule(module, capability, groups);
        var code = compiler.Compile(source, options);
        module = CudaDriver.TryLoadModule(code);
        if (module == 0)
            throw new InvalidOperationException($"the driver does not load code for sm_{capability}");
        if (path is not null)
            TryWrite(path, code);
        return new CudaModule(module, capability, groups);
    }

    /// <summary>A kernel by its name.</summary>
    public CudaKernel Kernel(string name) => new(CudaDriver.Function(_module, name), Overlap);

    public void Dispose() => CudaDriver.UnloadModule(_module);

    private static string Read(string source)
    {
        using var stream = typeof(CudaModule).Assembly.GetManifestResourceStream("Kernels." + source)
            ?? throw new InvalidOperationException($"the assembly lacks {source}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static byte[]? TryRead(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A disk that is full or read-only costs the time of compiling again, no more.
    private static void TryWrite(string path, byte[] code)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var temporary = path + Path.GetRandomFileName();
            File.WriteAllBytes(temporary, code);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
