using LightTts.Onnx;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>The estimator that comes with the model directories, <c>flow.decoder.estimator.fp32.onnx</c>: whole utterances, one a run, whose
/// batch of two are the guidance rows.</summary>
/// <remarks>Reference: export_onnx.py, which exports without the chunk-causal mask: streams cannot be computed by it.</remarks>
internal sealed class WholeEstimatorFile : IEstimatorFile
{
    public const string FileName = "flow.decoder.estimator.fp32.onnx";

    private static readonly string[] Names = ["x", "mask", "mu", "t", "spks", "cond"];

    private readonly OnnxSession _session;
    private readonly Device _device;
    private readonly string _output;
    private readonly OrtFrames _frames;

    /// <param name="session">Owned from here on, unless this throws.</param>
    /// <param name="melBands">Of the flow.</param>
    /// <param name="device">Where the flow's tensors lie.</param>
    /// <param name="frames">Lengths that its engine is built for.</param>
    /// <exception cref="TtsModelLoadException">It is another model.</exception>
    public WholeEstimatorFile(OnnxSession session, int melBands, Device device, OrtFrames frames)
    {
        foreach (var name in Names)
            if (session.InputShape(name) is null)
                throw new TtsModelLoadException($"'{session.Path}' has no input '{name}', as an estimator of a flow has. It is another model: "
                    + "download it again.");
        if (session.InputShape("x") is not [var batch, var mel, _] || (batch > 0 && batch != 2) || (mel > 0 && mel != melBands))
            throw new TtsModelLoadException($"'{session.Path}' takes [{string.Join(", ", session.InputShape("x")!)}] where the flow gives "
                + $"[2, {melBands}, frames]. It belongs to another model: download it again.");
        (_session, _device, _frames, _output) = (session, device, frames, session.OutputNames[0]);
    }

    public string Name => FileName;

    public string Provider => _session.Shown;

    public static string PathIn(string root) => Path.Combine(root, FileName);

    /// <summary>The shapes that TensorRT's engine is built for: the seed's.</summary>
    public static IReadOnlyList<OnnxShapeRange> Shapes(int mel, OrtFrames frames)
    {
        OnnxShapeRange Range(string name, int rows) => new(name, [2, rows, frames.Min], [2, rows, frames.Optimal], [2, rows, frames.Max]);
        return [Range("x", mel), Range("mask", 1), Range("mu", mel), Range("cond", mel)];
    }

    public bool Takes(FlowSegment segment) => segment.Chunk == 0 && _frames.Have(segment.Count, segment.Count);

    public IEstimatorPass Begin(FlowSegment segment, float[] times) => new Pass(this, segment, times);

    public void Dispose() => _session.Dispose();

    private sealed class Pass : IEstimatorPass
    {
        private readonly WholeEstimatorFile _file;
        private readonly float[] _times;
        private readonly KeptTensors _tensors = new();
        private readonly OrtTensors _run;
        private readonly Tensor _x, _t, _velocity;

        public Pass(WholeEstimatorFile file, FlowSegment segment, float[] times)
        {
            (_file, _times) = (file, times);
            _run = new OrtTensors(file._session, file._device);
            var device = OrtTensors.BesideSession(file._session, file._device);
            var mel = segment.Mu.shape[1];
            using var scope = NewDisposeScope();
            Tensor Rows(Tensor conditional) // the unconditional row is zero
            {
                var rows = zeros([2, .. conditional.shape], ScalarType.Float32, device);
                rows[0].copy_(conditional);
                return _tensors.Keep(rows);
            }

            try
            {
                _x = _tensors.Keep(empty([2, mel, segment.Count], ScalarType.Float32, device));
                _t = _tensors.Keep(empty([2], ScalarType.Float32, device));
                _velocity = _tensors.Keep(empty([2, mel, segment.Count], ScalarType.Float32, device));
                _run.Input("x", _x);
                _run.Input("mask", _tensors.Keep(ones([2, 1, segment.Count], ScalarType.Float32, device)));
                _run.Input("mu", Rows(segment.Mu.t()));
                _run.Input("t", _t);
                _run.Input("spks", Rows(segment.Speaker[0]));
                _run.Input("cond", Rows(segment.Condition.t()));
                _run.Output(file._output, _velocity);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public Tensor Velocity(Tensor x, int step)
        {
            using (NewDisposeScope())
            {
                _x.copy_(x.t().unsqueeze(0).expand_as(_x));
                _t.fill_(Scalars.Of(_times[step]));
                _run.Run(_file._session);
            }
            return _velocity.transpose(1, 2).to(x.device); // [2, MelBands, n] -> [2, n, MelBands]
        }

        public void Dispose()
        {
            _run.Dispose();
            _tensors.Dispose();
        }
    }
}
