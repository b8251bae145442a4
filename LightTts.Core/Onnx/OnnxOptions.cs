using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Onnx;

/// <summary>How ONNX models run.</summary>
internal sealed record OnnxOptions
{
    /// <summary>Where to compute, best first. Default the CPU.</summary>
    public IReadOnlyList<ExecutionProvider> Providers { get; init; } = [ExecutionProvider.Cpu];

    /// <summary>Which CUDA device.</summary>
    public int DeviceIndex { get; init; }

    /// <summary>Whether CUDA's products of 32-bit numbers may leave out the last 13 bits of each, which is several times faster.</summary>
    public bool Tf32 { get; init; }

    /// <summary>Threads that one operation may use on the CPU, at least 1; null for ONNX Runtime's own choice, one for each physical core.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether memory is kept between runs: for models that run all the time.</summary>
    public bool KeepMemory { get; init; }

    /// <summary>How TensorRT builds its engine.</summary>
    public TensorRtOptions TensorRt { get; init; } = new();

    /// <summary>Told that TensorRT will build an engine, which takes minutes.</summary>
    public Action<string> Building { get; init; } = static _ => { };

    /// <summary>Where fallbacks are told.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>Gives up loading, the building of an engine included.</summary>
    public CancellationToken Cancellation { get; init; }
}
