using System.Runtime.InteropServices;
using LightTts.Audio;

namespace LightTts.Models.CosyVoice.Voices;

/// <summary>Speech to be spoken in another voice, as speech tokens: the reference's voice conversion, without its limit of 30 s.</summary>
/// <remarks>
/// A clip is tokenised in parts of at most 30 s, each as a whole, as the reference does it, and cut where it is most quiet. Live audio is
/// tokenised second by second, each with a few seconds before it and a little after it in view, and ends a part at a pause. Both depend on
/// the audio alone, not on where its pieces were cut. For use from one thread.
/// </remarks>
/// <param name="tokenizer">Audio to tokens.</param>
/// <param name="vocabulary">Tokens that the flow knows.</param>
/// <param name="live">Whether tokens are wanted before the source has ended.</param>
internal sealed class SourceFeed(SpeechTokenizer tokenizer, int vocabulary, bool live) : ISourceFeed
{
    private const int TokenSamples = 640; // 40 ms at 16 kHz
    private const int Second = WhisperLogMel.SampleRate;
    private const int LongestPart = SpeechTokenizer.MaxSamples;
    private const int LiveStep = Second;
    private const int LivePast = 3 * Second;
    private const int LiveFuture = 5 * TokenSamples;
    private const int LivePart = 10 * Second; // from here on a pause ends the part
    private const int Pause = 5 * TokenSamples; // looked at for loudness
    private const double QuietShare = 0.1; // of the loudest: 20 dB below

    private readonly List<float> _audio = []; // 16 kHz, from what is still looked at on
    private StreamingResampler? _resampler;
    private int _sampleRate;
    private int _next; // index of the first sample whose token was not given
    private int _part; // samples of the part that were given
    private double _loudest; // of the part
    private bool _complete;
    private bool _started;

    public void Push(AudioClip piece)
    {
        SourceAudio.Check(piece);
        _resampler ??= new StreamingResampler(_sampleRate = piece.SampleRate, Second);
        if (piece.SampleRate != _sampleRate)
            throw new TtsAudioException($"The source audio changes from {_sampleRate} to {piece.SampleRate} Hz. Hand in all its pieces at one rate.");
        _resampler.Push(piece.Samples.Span, _audio);
    }

    public void Complete()
    {
        _resampler?.Finish(_audio);
        _complete = true;
        if (!_started && _audio.Count < SourceAudio.MinSeconds * Second)
            throw SourceAudio.TooShort();
    }

    public SourcePart? Next()
    {
        if (live ? !_complete && _audio.Count < _next + LiveStep + LiveFuture : !_complete)
            return null;
        _started = true;
        return live ? Step() : Part();
    }

    /// <summary>The next part of a clip.</summary>
    private SourcePart Part()
    {
        var left = _audio.Count - _next;
        var isLast = left <= LongestPart;
        var count = isLast ? left : Quietest(_next + LongestPart / 2, Math.Min(_next + LongestPart, _audio.Count - Second)) - _next;
        var tokens = Tokenize(_next, _next + count);
        _next += count;
        Forget(_next);
        return new SourcePart(tokens, EndsUtterance: true, isLast);
    }

    /// <summary>The next second of live audio, or what is left of it.</summary>
    private SourcePart Step()
    {
        var isLast = _complete && _audio.Count - _next < LiveStep + LiveFuture;
        var end = isLast ? _audio.Count : _next + LiveStep;
        var cut = isLast ? end : PartEnd(end);
        var from = Math.Max(0, _next - LivePast);
        var seen = Math.Min(_audio.Count, end + LiveFuture);
        var first = (_next - from) / TokenSamples;
        // What is left at the end may be less than a frame, and has no token then.
        var tokens = Tokenize(from, seen);
        tokens = tokens[Math.Min(first, tokens.Length)..(isLast ? tokens.Length : first + (cut - _next) / TokenSamples)];
        var ends = isLast || cut < end || _part + (cut - _next) >= LongestPart - LiveStep;
        (_part, _loudest) = ends ? (0, 0) : (_part + cut - _next, _loudest);
        _next = cut;
        Forget(_next - LivePast);
        return new SourcePart(tokens, ends, isLast);
    }

    /// <summary>Where in the step a part ends that is long enough: at a pause, if there is one; otherwise the step's end.</summary>
    private int PartEnd(int end)
    {
        for (var at = _next; at < end; at += TokenSamples)
            _loudest = Math.Max(_loudest, Loudness(at));
        if (_part < LivePart)
            return end;
        var quietest = Quietest(_next + TokenSamples, end - TokenSamples);
        return Loudness(quietest - Pause / 2) < QuietShare * _loudest ? quietest : end;
    }

    /// <summary>The most quiet border of two tokens in a range.</summary>
    private int Quietest(int from, int to)
    {
        var (best, least) = (from, double.MaxValue);
        for (var at = _next + (from - _next + TokenSamples - 1) / TokenSamples * TokenSamples; at <= to; at += TokenSamples)
            if (Loudness(at - Pause / 2) is var loudness && loudness < least)
                (best, least) = (at, loudness);
        return best;
    }

    private double Loudness(int start)
    {
        var samples = CollectionsMarshal.AsSpan(_audio);
        samples = samples[Math.Clamp(start, 0, samples.Length)..Math.Clamp(start + Pause, 0, samples.Length)];
        return samples.IsEmpty ? 0 : Math.Sqrt(System.Numerics.Tensors.TensorPrimitives.SumOfSquares<float>(samples) / samples.Length);
    }

    private int[] Tokenize(int from, int to)
    {
        if (to - from <= WhisperLogMel.MinSamples)
            return [];
        var tokens = tokenizer.Tokenize(CollectionsMarshal.AsSpan(_audio)[from..to].ToArray());
        foreach (var token in tokens)
            if (token < 0 || token >= vocabulary)
                throw new TtsSynthesisException($"The speech tokenizer gave the token {token}, the flow knows {vocabulary}: they belong to different "
                    + "models. Check the model directory.");
        return tokens;
    }

    private void Forget(int count)
    {
        count = count / TokenSamples * TokenSamples; // tokens stay where they are
        if (count <= 0)
            return;
        _audio.RemoveRange(0, count);
        _next -= count;
    }
}
