using LightTts.Audio;
using LightTts.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LightTts.Models.CosyVoice.Voices;

/// <summary>Speech to speech tokens, 25 a second: speech_tokenizer_v2.onnx or speech_tokenizer_v3.onnx on whisper's log-mel spectrogram.</summary>
/// <remarks>For use from one thread.</remarks>
internal sealed class SpeechTokenizer : IDisposable
{
    /// <summary>The most audio that the model takes, in samples at 16 kHz.</summary>
    public const int MaxSamples = (int)ReferenceLimits.MaxSeconds * WhisperLogMel.SampleRate;

    private const int InputCount = 2; // features and length
    private const int DefaultBands = 128;
    private const int MaxFrames = MaxSamples / 160;

    private readonly OnnxSession _session;
    private readonly WhisperLogMel _features;
    private readonly int _bands;

    private SpeechTokenizer(OnnxSession session)
    {
        _session = session;
        var shape = session.InputShape(0);
        _bands = shape.Count == 3 && shape[1] > 0 ? shape[1] : DefaultBands;
        _features = new WhisperLogMel(_bands);
    }

    /// <summary>Loads the model.</summary>
    /// <exception cref="TtsModelLoadException">The file is missing, damaged, or another model.</exception>
    /// <exception cref="TtsBackendException">ONNX Runtime's natives are missing.</exception>
    public static SpeechTokenizer Load(string path, OnnxOptions options)
    {
        // What TensorRT builds its engine for: 0.1 s to the most.
        var shapes = new OnnxShapeRange("feats", [1, DefaultBands, 10], [1, DefaultBands, 500], [1, DefaultBands, MaxFrames]);
        var session = OnnxSession.Load(path, options with { TensorRt = options.TensorRt with { Shapes = [shapes] } });
        if (session.Inputs == InputCount)
            return new SpeechTokenizer(session);
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

    /// <summary>Tokens of a clip.</summary>
    /// <param name="samples">Mono samples at 16 kHz, at most <see cref="MaxSamples"/>.</param>
    /// <returns>One token for every 4 frames of 10 ms, rounded up.</returns>
    /// <exception cref="TtsAudioException">The clip is longer.</exception>
    public int[] Tokenize(ReadOnlyMemory<float> samples)
    {
        if (samples.Length > MaxSamples)
            throw new TtsAudioException($"Speech tokens can be made of at most {ReferenceLimits.MaxSeconds} s of audio. Cut it. "
            + $"{ReferenceLimits.Advice}");
        var features = _features.Compute(samples, out var frames);
        using var feats = OrtValue.CreateTensorValueFromMemory(features, [1, _bands, frames]);
        using var length = OrtValue.CreateTensorValueFromMemory(new[] { frames }, [1]);
        return _session.Run([feats, length], Flatten); // [1, L] int32 (v2, v3) or [1, 1, L] int64 (v1) -> [L]
    }

    private int[] Flatten(OrtValue output) => output.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Int32 => output.GetTensorDataAsSpan<int>().ToArray(),
        TensorElementType.Int64 => Array.ConvertAll(output.GetTensorDataAsSpan<long>().ToArray(), static id => checked((int)id)),
        var other => throw new TtsModelLoadException($"'{_session.Path}' gives {other} where a speech tokenizer gives integers. It is another "
            + "model: check the file."),
    };

    private static TtsModelLoadException Another(string path, int inputs) =>
        new($"'{path}' has {inputs} inputs where a speech tokenizer has 2 (features, length). It is another model: check the file.");

    public void Dispose() => _session.Dispose();
}
