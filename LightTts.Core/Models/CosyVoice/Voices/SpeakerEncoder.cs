using LightTts.Audio;
using LightTts.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace LightTts.Models.CosyVoice.Voices;

/// <summary>Speech to a vector that says who speaks: campplus.onnx (CAM++) on Kaldi filter banks.</summary>
/// <remarks>For use from one thread.</remarks>
internal sealed class SpeakerEncoder : IDisposable
{
    private const int InputCount = 1; // features
    private const int DefaultBands = 80;
    private const int MaxFrames = (int)ReferenceLimits.MaxSeconds * 100; // that TensorRT builds its engine for

    private readonly OnnxSession _session;
    private readonly KaldiFbank _features;
    private readonly int _bands;

    private SpeakerEncoder(OnnxSession session)
    {
        _session = session;
        var shape = session.InputShape(0);
        _bands = shape.Count == 3 && shape[2] > 0 ? shape[2] : DefaultBands;
        _features = new KaldiFbank(_bands);
    }

    /// <summary>Loads the model.</summary>
    /// <exception cref="TtsModelLoadException">The file is missing, damaged, or another model.</exception>
    /// <exception cref="TtsBackendException">ONNX Runtime's natives are missing.</exception>
    public static SpeakerEncoder Load(string path, OnnxOptions options)
    {
        var shapes = new OnnxShapeRange("input", [1, 10, DefaultBands], [1, 500, DefaultBands], [1, MaxFrames, DefaultBands]);
        var session = OnnxSession.Load(path, options with { TensorRt = options.TensorRt with { Shapes = [shapes] } });
        if (session.Inputs == InputCount)
            return new SpeakerEncoder(session);
        session.Dispose();
        throw Another(path, session.Inputs);
    }

    /// <summary>Sees whether a file is such a model, without loading it.</summary>
    /// <exception cref="TtsModelLoadException">The file is missing, damaged, or another model.</exception>
    public static void Check(string path)
    {
        if (OnnxModelFile.CountInputs(path) is not InputCount and var inputs)
            throw Another(path, inputs);
    }

    /// <summary>The embedding of a clip's speaker, not normalised.</summary>
    /// <param name="samples">Mono samples at 16 kHz, 25 ms or more.</param>
    /// <returns>192 numbers for CAM++.</returns>
    public float[] Embed(ReadOnlyMemory<float> samples)
    {
        var features = _features.Compute(samples, out var frames);
        using var input = OrtValue.CreateTensorValueFromMemory(features, [1, frames, _bands]);
        return _session.Run([input], static output => output.GetTensorDataAsSpan<float>().ToArray()); // [1, 192] -> [192]
    }

    private static TtsModelLoadException Another(string path, int inputs) =>
        new($"'{path}' has {inputs} inputs where a speaker encoder has 1 (features). It is another model: check the file.");

    public void Dispose() => _session.Dispose();
}
