using LightTts.Cuda;
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
    private readonly CudaSideStream? _stream;

    /// <param name="session">What runs.</param>
    /// <param name="device">Where the flow's tensors lie.</param>
    /// <param name="stream">The session's stream, where it has one that is known.</param>
    public OrtTensors(OnnxSession session, Device device, CudaSideStream? stream)
    {
        _stream = stream;
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
        // What fills its inputs must have been done before, and what reads its outputs comes after.
        var ordered = _memory is not null && _stream?.TryFollow() == true;
        if (_memory is not null && !ordered)
            TensorData.WaitForStream(_device);
        session.Run(_inputs.Keys, _inputs.Values, _outputs.Keys, _outputs.Values, wait: !ordered);
        if (ordered && !_stream!.TryLead())
            throw new TtsSynthesisException("The device is lost.");
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
