using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace LightTts.Onnx;

/// <summary>How TensorRT builds a model's engine.</summary>
internal sealed record TensorRtOptions
{
    /// <summary>Folder of engines and timings, in which each model has one of its own; null: none is kept.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>16-bit floating point.</summary>
    public bool HalfPrecision { get; init; }

    /// <summary>Bytes of device memory to try ways in.</summary>
    public long WorkspaceBytes { get; init; } = 4L << 30;

    /// <summary>Shapes that the engine is built for, of each input that may vary; without any, an engine is built at a run of a new shape.</summary>
    public IReadOnlyList<OnnxShapeRange> Shapes { get; init; } = [];

    /// <summary>The folder of one model: a file that was replaced has another. Null where nothing is kept.</summary>
    public string? FolderFor(string model)
    {
        if (CacheDirectory is null)
            return null;
        var file = new FileInfo(model);
        var identity = string.Create(CultureInfo.InvariantCulture, $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}");
        var hash = Convert.ToHexStringLower(XxHash64.Hash(Encoding.UTF8.GetBytes(identity)));
        return Path.Combine(CacheDirectory, $"{Path.GetFileNameWithoutExtension(model)}.{hash}");
    }

    /// <summary>ONNX Runtime's names for all of it.</summary>
    public Dictionary<string, string> ToProviderOptions(int device, string? folder)
    {
        var options = new Dictionary<string, string>
        {
            ["device_id"] = device.ToString(CultureInfo.InvariantCulture),
            ["trt_fp16_enable"] = HalfPrecision ? "1" : "0",
        };
        if (WorkspaceBytes > 0)
            options["trt_max_workspace_size"] = WorkspaceBytes.ToString(CultureInfo.InvariantCulture);
        if (folder is not null)
        {
            options["trt_engine_cache_enable"] = "1";
            options["trt_engine_cache_path"] = folder;
            options["trt_timing_cache_enable"] = "1";
            options["trt_timing_cache_path"] = folder;
        }
        if (Shapes.Count > 0)
        {
            options["trt_profile_min_shapes"] = Join(shape => shape.Min);
            options["trt_profile_opt_shapes"] = Join(shape => shape.Optimal);
            options["trt_profile_max_shapes"] = Join(shape => shape.Max);
        }
        return options;
    }

    private string Join(Func<OnnxShapeRange, IReadOnlyList<int>> shape) =>
        string.Join(',', Shapes.Select(range => $"{range.Input}:{string.Join('x', shape(range))}"));
}

/// <summary>Shapes of an input.</summary>
internal sealed record OnnxShapeRange(string Input, IReadOnlyList<int> Min, IReadOnlyList<int> Optimal, IReadOnlyList<int> Max);
