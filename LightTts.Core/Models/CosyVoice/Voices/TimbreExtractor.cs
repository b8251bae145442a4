using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LightTts.Audio;
using LightTts.Models.CosyVoice.Files;
using LightTts.Onnx;
using LightTts.Timbres;

namespace LightTts.Models.CosyVoice.Voices;

/// <summary>Learns a voice from reference audio: the reference's frontend_zero_shot without the text.</summary>
/// <remarks>For use from one thread, except <see cref="ExtractorId"/>.</remarks>
internal sealed class TimbreExtractor : IDisposable
{
    private readonly Lazy<SpeechTokenizer> _tokenizer;
    private readonly Lazy<SpeakerEncoder> _encoder;
    private readonly MelSpectrogram _mel;
    private readonly int _tokenMelRatio;
    private readonly Task<string> _id;

    private TimbreExtractor(Lazy<SpeechTokenizer> tokenizer, Lazy<SpeakerEncoder> encoder, PromptMelConfig mel, int tokenMelRatio, Func<string> id)
    {
        (_tokenizer, _encoder, _tokenMelRatio) = (tokenizer, encoder, tokenMelRatio);
        _mel = new MelSpectrogram(mel.FftSize, mel.WindowSize, mel.HopSize, mel.MelBands, mel.SampleRate, mel.MinFrequency, mel.MaxFrequency);
        _id = Task.Run(id);
    }

    /// <summary>Identifies the feature extractors: a SHA-256 in hexadecimal over both ONNX files and the mel's settings.</summary>
    /// <remarks>The files are hashed once, beside the rest of the load (a second or so for the 969 MB tokenizer of the 0.5B models). Safe to use
    /// from any thread.</remarks>
    public string ExtractorId => _id.GetAwaiter().GetResult();

    /// <summary>Loads the two models. Those that run on the processor are only looked at, and loaded when the first voice is learnt: they take up
    /// to a gigabyte, and whoever speaks in voices that are known needs none of it.</summary>
    /// <param name="tokenizerPath">speech_tokenizer_v2.onnx or speech_tokenizer_v3.onnx.</param>
    /// <param name="encoderPath">campplus.onnx.</param>
    /// <param name="mel">The prompt mel's settings.</param>
    /// <param name="tokenMelRatio">Mel frames for each speech token.</param>
    /// <param name="options">Where the models run.</param>
    /// <exception cref="TtsModelLoadException">A file is missing, damaged, or another model.</exception>
    /// <exception cref="TtsBackendException">ONNX Runtime's natives are missing, or the device that is demanded cannot be had.</exception>
    public static TimbreExtractor Load(string tokenizerPath, string encoderPath, PromptMelConfig mel, int tokenMelRatio, OnnxOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenMelRatio, 1);
        string Id() => Identify(tokenizerPath, encoderPath, mel, tokenMelRatio);
        if (options.Providers.All(provider => provider == ExecutionProvider.Cpu))
        {
            SpeechTokenizer.Check(tokenizerPath);
            SpeakerEncoder.Check(encoderPath);
            var later = options with { Cancellation = CancellationToken.None }; // what cancels the load ends with it
            return new TimbreExtractor(Later(() => SpeechTokenizer.Load(tokenizerPath, later)), Later(() => SpeakerEncoder.Load(encoderPath, later)),
                mel, tokenMelRatio, Id);
        }
        // Another device can refuse a model, or build its engine for minutes: that belongs to the load.
        var tokenizer = SpeechTokenizer.Load(tokenizerPath, options);
        try
        {
            return new TimbreExtractor(new(tokenizer), new(SpeakerEncoder.Load(encoderPath, options)), mel, tokenMelRatio, Id);
        }
        catch
        {
            tokenizer.Dispose();
            throw;
        }

        static Lazy<T> Later<T>(Func<T> load) => new(load, LazyThreadSafetyMode.PublicationOnly); // one that failed is tried again
    }

    /// <summary>Extracts a voice.</summary>
    /// <param name="reference">0.5 to 30 s of speech at 16 kHz or more.</param>
    /// <param name="transcript">Becomes <see cref="TimbreFeatures.PromptText"/> as it is: the caller puts the model's instruction prefix in front.
    /// Null for cross-lingual use.</param>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why.</exception>
    public TimbreFeatures Extract(AudioClip reference, string? transcript)
    {
        ReferenceAudio.Check(reference);
        // Both rates are made from the original: the reference never goes through 16 kHz to 24 kHz.
        var at16k = Resampler.Resample(reference.Samples, reference.SampleRate, WhisperLogMel.SampleRate);
        var forMel = Resampler.Resample(reference.Samples, reference.SampleRate, _mel.SampleRate);
        var tokens = _tokenizer.Value.Tokenize(at16k);
        var mel = _mel.Compute(forMel, out var frames);
        var embedding = _encoder.Value.Embed(at16k);
        foreach (var value in embedding)
            if (!float.IsFinite(value))
                throw new TtsAudioException("The speaker encoder found no voice in the audio (its result is not finite). Use a clean recording of "
                    + "3 to 10 s of one person.");

        // Tokens round up and frames round down: both are cut to what both cover.
        var count = Math.Min(frames / _tokenMelRatio, tokens.Length);
        frames = count * _tokenMelRatio;
        return new TimbreFeatures(transcript, tokens[..count], mel[..(frames * _mel.Bands)], frames, embedding);
    }

    /// <summary>Starts to make tokens of speech that is to be spoken in another voice.</summary>
    /// <param name="vocabulary">Tokens that the flow knows.</param>
    /// <param name="live">Whether they are wanted before the source has ended.</param>
    public ISourceFeed CreateSourceFeed(int vocabulary, bool live) => new SourceFeed(_tokenizer.Value, vocabulary, live);

    public void Dispose()
    {
        if (_tokenizer.IsValueCreated)
            _tokenizer.Value.Dispose();
        if (_encoder.IsValueCreated)
            _encoder.Value.Dispose();
    }

    private static string Identify(string tokenizerPath, string encoderPath, PromptMelConfig mel, int tokenMelRatio)
    {
        var settings = string.Create(CultureInfo.InvariantCulture,
            $"{mel.FftSize}|{mel.MelBands}|{mel.SampleRate}|{mel.HopSize}|{mel.WindowSize}|"
            + $"{mel.MinFrequency:R}|{mel.MaxFrequency:R}|{tokenMelRatio}");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(HashFile(tokenizerPath));
        hash.AppendData(HashFile(encoderPath));
        hash.AppendData(Encoding.UTF8.GetBytes(settings));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] HashFile(string path)
    {
        using var file = File.OpenRead(path);
        return SHA256.HashData(file);
    }
}
