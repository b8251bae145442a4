using System.Text;
using LightTts.Audio;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LightTts.Tests.EndToEnd;

/// <summary>Reads speech back as text: speech tokens of the audio, then a small CTC model
/// (recogniser.onnx) that was trained beside the embedded voice. May be used by several threads.</summary>
internal sealed class Recogniser : IDisposable
{
    private const string Alphabet = "\0abcdefghijklmnopqrstuvwxyz '";

    private readonly SpeechTokenizer _tokenizer =
        SpeechTokenizer.Load(Path.Combine(Repo.TinyEn, "speech_tokenizer_v3.onnx"), new OnnxOptions { Threads = 1 });
    private readonly InferenceSession _model = new(Path.Combine(Repo.Root, "LightTts.Tests", "EndToEnd", "recogniser.onnx"));

    public string Read(AudioClip clip)
    {
        var tokens = _tokenizer.Tokenize(Resampler.Resample(clip.Samples, clip.SampleRate, 16_000));
        var input = new DenseTensor<long>(Array.ConvertAll(tokens, token => (long)token), new[] { 1, tokens.Length });
        using var outputs = _model.Run([NamedOnnxValue.CreateFromTensor("tokens", input)]);
        var logits = outputs[0].AsTensor<float>(); // [1, L, 29]
        var text = new StringBuilder();
        var last = 0;
        for (var i = 0; i < logits.Dimensions[1]; i++)
        {
            var best = 0;
            for (var c = 1; c < Alphabet.Length; c++)
                if (logits[0, i, c] > logits[0, i, best])
                    best = c;
            if (best != 0 && best != last)
                text.Append(Alphabet[best]);
            last = best;
        }
        return Plain(text.ToString());
    }

    /// <summary>Characters read wrongly, in percent of those that were to be spoken.</summary>
    public static double ErrorRate(IReadOnlyList<AudioClip> clips, IReadOnlyList<string> texts)
    {
        int characters = 0, errors = 0;
        using var recogniser = new Recogniser();
        Parallel.For(0, clips.Count, i =>
        {
            var expected = Plain(texts[i]);
            Interlocked.Add(ref characters, expected.Length);
            Interlocked.Add(ref errors, Distance(expected.ToCharArray(), recogniser.Read(clips[i]).ToCharArray()));
        });
        return 100.0 * errors / characters;
    }

    /// <summary>Text as the recogniser's alphabet has it.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var c in text.ToLowerInvariant().Replace('-', ' '))
            if (Alphabet.IndexOf(c) > 0)
                plain.Append(c);
        return string.Join(' ', plain.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Levenshtein distance.</summary>
    public static int Distance<T>(IReadOnlyList<T> expected, IReadOnlyList<T> heard)
    {
        var row = Enumerable.Range(0, heard.Count + 1).ToArray();
        for (var i = 1; i <= expected.Count; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= heard.Count; j++)
            {
                var substitute = diagonal + (EqualityComparer<T>.Default.Equals(expected[i - 1], heard[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }

    public void Dispose()
    {
        _tokenizer.Dispose();
        _model.Dispose();
    }
}
