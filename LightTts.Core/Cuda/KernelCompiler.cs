using System.Runtime.InteropServices;
using System.Text;

namespace LightTts.Cuda;

/// <summary>NVIDIA's run-time compiler (NVRTC), which every CUDA libtorch brings: CUDA C++ in, code for one kind of card out.</summary>
internal sealed unsafe class KernelCompiler
{
    private readonly delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int> _create;
    private readonly delegate* unmanaged<nint, int, byte**, int> _compile;
    private readonly delegate* unmanaged<nint, nuint*, int> _codeSize;
    private readonly delegate* unmanaged<nint, byte*, int> _code;
    private readonly delegate* unmanaged<nint, nuint*, int> _logSize;
    private readonly delegate* unmanaged<nint, byte*, int> _log;
    private readonly delegate* unmanaged<nint*, int> _destroy;

    private KernelCompiler(nint library)
    {
        _create = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)NativeLibrary.GetExport(library, "nvrtcCreateProgram");
        _compile = (delegate* unmanaged<nint, int, byte**, int>)NativeLibrary.GetExport(library, "nvrtcCompileProgram");
        _codeSize = (delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(library, "nvrtcGetCUBINSize");
        _code = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(library, "nvrtcGetCUBIN");
        _logSize = (delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(library, "nvrtcGetProgramLogSize");
        _log = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(library, "nvrtcGetProgramLog");
        _destroy = (delegate* unmanaged<nint*, int>)NativeLibrary.GetExport(library, "nvrtcDestroyProgram");
        var version = (delegate* unmanaged<int*, int*, int>)NativeLibrary.GetExport(library, "nvrtcVersion");
        int major, minor;
        Version = version(&major, &minor) == 0 ? $"{major}.{minor}" : "?";
    }

    /// <summary>Its own version.</summary>
    public string Version { get; }

    /// <summary>Finds it.</summary>
    /// <param name="folder">Where libtorch's libraries lie; its own comes with what it depends on.</param>
    /// <returns>Null where there is none.</returns>
    public static KernelCompiler? TryLoad(string? folder)
    {
        foreach (var name in Candidates(folder))
            if (NativeLibrary.TryLoad(name, out var library) && NativeLibrary.TryGetExport(library, "nvrtcGetCUBIN", out _))
                return new KernelCompiler(library);
        return null;
    }

    /// <summary>Compiles a program.</summary>
    /// <param name="source">CUDA C++.</param>
    /// <param name="options">NVRTC's own.</param>
    /// <returns>A cubin.</returns>
    /// <exception cref="InvalidOperationException">It does not compile; the message holds the compiler's.</exception>
    public byte[] Compile(string source, IReadOnlyList<string> options)
    {
        nint program = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(source + '\0'))
            Check(_create(&program, text, null, 0, null, null), "");
        var arguments = options.Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        try
        {
            int error;
            fixed (nint* pointers = arguments)
                error = _compile(program, arguments.Length, (byte**)pointers);
            Check(error, Log(program));
            nuint size;
            Check(_codeSize(program, &size), "");
            var code = new byte[size];
            fixed (byte* target = code)
                Check(_code(program, target), "");
            return code;
        }
        finally
        {
            Array.ForEach(arguments, Marshal.FreeCoTaskMem);
            _ = _destroy(&program);
        }
    }

    private string Log(nint program)
    {
        nuint size;
        if (_logSize(program, &size) != 0 || size <= 1)
            return "";
        var log = new byte[size];
        fixed (byte* target = log)
            return _log(program, target) == 0 ? Encoding.UTF8.GetString(log).TrimEnd('\0', '\n') : "";
    }

    private static void Check(int error, string log)
    {
        if (error != 0)
            throw new InvalidOperationException($"NVRTC error {error}{(log.Length > 0 ? ": " + log : "")}");
    }

    private static IEnumerable<string> Candidates(string? folder)
    {
        if (OperatingSystem.IsWindows())
            return folder is null ? [] : Directory.EnumerateFiles(folder, "nvrtc64_*.dll");
        string[] names = ["libcaffe2_nvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"];
        return folder is null ? names : names.Select(name => Path.Combine(folder, name)).Concat(names);
    }
}
