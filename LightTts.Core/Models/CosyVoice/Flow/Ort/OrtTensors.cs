using LightTts.Onnx;
using LightTts.Torch;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>Inputs and outputs of a run: torch's memory, which ONNX Runtime reads and writes in place.</summary>
internal sealed class OrtTensors : IDisposable
{
    private static readonly OrtMemoryInfo s_host = OrtMemoryInfo.DefaultInstance;

    private readonly Dictionary<string, OrtValue> _inputs = [];
    private readonly Dictionary<string, OrtValue> _outputs = [];
    private readonly Device _device;
    private readonly OrtMemoryInfo? _memory; // null: the host's

    /// <param name="session">What runs.</param>
    /// <param name="device">Where the flow's tensors lie.</param>
    public OrtTensors(OnnxSession session, Device device)
    {
        _device = BesideSession(session, device);
        if (_device.type == DeviceType.CUDA)
            _memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, _device.index, OrtMemType.Default);
    }

    /// <summary>Where the tensors must lie: on the flow's device where the session computes there, too; otherwise ONNX Runtime copies.</summary>
    public static Device BesideSession(OnnxSession session, Device device) => session.Providers.Count > 0 ? device : CPU;

    /// <summary>A tensor where the session wants it, of 32-bit floats; in the caller's dispose scope.</summary>
    public Tensor Near(Tensor tensor) => tensor.to(ScalarType.Float32, _device).contiguous();

    /// <summary>Sets an input; the tensor must stay as long as this, or until it is set again.</summary>
    public void Input(string name, Tensor tensor) => Set(_inputs, name, tensor);

    /// <summary>Sets an output.</summary>
    public void Output(string name, Tensor tensor) => Set(_outputs, name, tensor);

    /// <summary>Runs the model.</summary>
    /// <exception cref="TtsSynthesisException">ONNX Runtime failed.</exception>
    public void Run(OnnxSession session)
    {
        // ONNX Runtime works on a stream of its own and ends with waiting for it: what fills its inputs must have been done before. Its C# interface
        // has no way to hand it the stage's.
        if (_memory is not null)
            TensorData.WaitForStream(_device);
        session.Run(_inputs.Keys, _inputs.Values, _outputs.Keys, _outputs.Values);
    }

    public void Dispose()
    {
        foreach (var value in _inputs.Values.Concat(_outputs.Values))
            value.Dispose();
        _memory?.Dispose();
    }

    private void Set(Dictionary<string, OrtValue> values, string name, Tensor tensor)
    {
        if (values.Remove(name, out var old))
            old.Dispose();
        var (type, bytes) = tensor.dtype == ScalarType.Int64 ? (TensorElementType.Int64, 8L) : (TensorElementType.Float, 4L);
        values[name] = OrtValue.CreateTensorValueWithData(_memory is null || tensor.device_type == DeviceType.CPU ? s_host : _memory, type,
            tensor.shape, tensor.DataPointer(), tensor.NumberOfElements * bytes);
    }
}
