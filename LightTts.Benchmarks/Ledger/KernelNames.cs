using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Benchmarks.Ledger;

/// <summary>Names of kernels as a person reads them, and what sort of work they do.</summary>
internal static unsafe partial class KernelNames
{
    private const int Longest = 84;

    private static readonly delegate* unmanaged<byte*, byte*, nuint*, int*, byte*> Demangle =
        (delegate* unmanaged<byte*, byte*, nuint*, int*, byte*>)Find("libstdc++.so.6", "__cxa_demangle");

    private static readonly delegate* unmanaged<void*, void> Free = (delegate* unmanaged<void*, void>)Find("libc.so.6", "free");

    // The first that fits counts.
    private static readonly (Regex Pattern, string Class)[] Classes =
    [
        (Copies(), "copies and fills"), (Convolutions(), "convolutions"), (Products(), "matrix products"), (Transforms(), "Fourier transforms"),
        (Attention(), "attention"), (Reductions(), "reductions and norms"), (Moves(), "moved and joined"), (Elements(), "element by element"),
    ];

    /// <summary>A kernel's name without what C++ adds to it.</summary>
    public static string Short(string symbol)
    {
        var name = Demangled(symbol);
        if (name.StartsWith("void ", StringComparison.Ordinal))
            name = name[5..];
        name = Noise().Replace(WithoutArguments(name.Replace("(anonymous namespace)::", "", StringComparison.Ordinal)), "");
        return name.Length <= Longest ? name : name[..(Longest - 1)] + "…";
    }

    /// <summary>"cudaGraphLaunch" for "cudaGraphLaunch_v10000".</summary>
    public static string WithoutVersion(string call) => Version().Replace(call, "");

    /// <summary>What sort of work; a plain name that no library's kernels have is a kernel of LightTts.</summary>
    public static string Class(string name)
    {
        foreach (var (pattern, kind) in Classes)
            if (pattern.IsMatch(name))
                return kind;
        return Plain().IsMatch(name) ? "own kernels" : "other";
    }

    private static string Demangled(string symbol)
    {
        if (Demangle == null || Free == null || !symbol.StartsWith("_Z", StringComparison.Ordinal))
            return symbol;
        int status;
        byte* name;
        fixed (byte* text = Encoding.UTF8.GetBytes(symbol + '\0'))
            name = Demangle(text, null, null, &status);
        if (name == null)
            return symbol;
        var result = Marshal.PtrToStringUTF8((nint)name)!;
        Free(name);
        return result;
    }

    /// <summary>Cuts off the list of arguments, the last pair of parentheses outside of angle brackets.</summary>
    private static string WithoutArguments(string name)
    {
        if (!name.EndsWith(')'))
            return name;
        var depth = 0;
        for (var i = name.Length - 1; i > 0; i--)
        {
            depth += name[i] == ')' ? 1 : name[i] == '(' ? -1 : 0;
            if (depth == 0)
                return name[..i];
        }
        return name;
    }

    private static nint Find(string library, string function) =>
        NativeLibrary.TryLoad(library, out var handle) && NativeLibrary.TryGetExport(handle, function, out var address) ? address : 0;

    [GeneratedRegex("at::native::|at_cuda_detail::|c10::|std::|\\bul\\b| (?=>)")]
    private static partial Regex Noise();

    [GeneratedRegex("_(v|ptsz|ptds)\\w*$")]
    private static partial Regex Version();

    [GeneratedRegex("^(copy|fill)\\b")]
    private static partial Regex Copies();

    [GeneratedRegex("conv|cudnn|[wd]grad|fprop|winograd|nchw|nhwc|im2col|col2im", RegexOptions.IgnoreCase)]
    private static partial Regex Convolutions();

    [GeneratedRegex("gemm|gemv|nvjet|cutlass|cublas|splitk|dot_kernel", RegexOptions.IgnoreCase)]
    private static partial Regex Products();

    [GeneratedRegex("fft", RegexOptions.IgnoreCase)]
    private static partial Regex Transforms();

    [GeneratedRegex("fmha|flash_|attention|softmax", RegexOptions.IgnoreCase)]
    private static partial Regex Attention();

    [GeneratedRegex("reduce_kernel|layer_norm|LayerNorm|DeviceScan|scan_")]
    private static partial Regex Reductions();

    [GeneratedRegex("CatArray|index_|IndexKernel|gather|scatter|roll_|reflection_pad|replication_pad|direct_copy|flip_|indexSelect|triu_tril")]
    private static partial Regex Moves();

    [GeneratedRegex("elementwise|distribution_|FillFunctor|arange")]
    private static partial Regex Elements();

    [GeneratedRegex("^[a-z_0-9]+$")]
    private static partial Regex Plain();
}
