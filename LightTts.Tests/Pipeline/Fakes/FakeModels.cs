using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Timbres;

namespace LightTts.Tests.Pipeline.Fakes;

/// <summary>Counts what is alive, and lets a test fail or hold a model at any call.</summary>
internal sealed class FakeWorld
{
    public int LanguageStates;
    public int ModelsDisposed;
    public int DecodeStates;
    public int OpenPasses;
    public int Steps;

    /// <summary>Of those the ones that were launched while another was under way.</summary>
    public int StepsAhead;

    public int MaxRowsSeen;
    public long Samples;

    /// <summary>Rows of the language model's step under way.</summary>
    public int Rows;

    /// <summary>Called before every model call with its name; throws to inject a fault, blocks to hold the stage.</summary>
    public Action<string>? OnCall;

    /// <summary>Asked in every part of a decode pass that serves somebody who waits for the whole: whether the pass needs another part.</summary>
    public Func<bool>? InPass;

    /// <summary>The call that fails for poisoned requests: "prepare" (their text holds
    /// <see cref="PoisonText"/>), "step", "collect" and "row" (their seed is <see cref="PoisonSeed"/>),
    /// "state", "decode" and "nan" (their flow steps are <see cref="PoisonSteps"/>). A
    /// step or a decode pass that fails takes all of its rows with it.</summary>
    public string? Poisoned;

    public const string PoisonText = "poison";
    public const int PoisonSeed = 666;
    public const int PoisonSteps = 13;

    /// <summary>Sequences with this seed never end, whatever their text.</summary>
    public const int EndlessSeed = 777;

    /// <summary>Sequences with this seed end with their first token.</summary>
    public const int SilentSeed = 888;

    /// <summary>What is plausible; by default everything.</summary>
    public SpeechPace Pace = new(25, double.MaxValue, 1e-9, 0);

    /// <summary>Whether sequences of streamed text now and then ask for more of it before their turn is over.</summary>
    public bool AsksForText;

    /// <summary>Whether every sequence ends with its first token, whatever its seed.</summary>
    public bool IsMute;

    public void Call(string name) => OnCall?.Invoke(name);

    /// <summary>Throws where this call is the one that fails, and it works on a poisoned request.</summary>
    public void Check(string call, bool poisoned)
    {
        if (poisoned && Poisoned == call)
            throw new InvalidOperationException($"injected into {call}");
    }
}

/// <summary>Words are tokens: the id is the word's length; '.' ends a piece.</summary>
internal sealed class FakeEncoder(FakeWorld world) : ISpeechEncoder
{
    public string ExtractorId => "fake";

    public IDisposable EnterThread() => new Nothing();

    public void WarmUp() => world.Call("warm-up encode");

    public TimbreFeatures ExtractTimbre(AudioClip reference, string? transcript)
    {
        world.Call("extract");
        return new TimbreFeatures(transcript, [1, 2, 3], new float[6 * 80], 6, new float[192]);
    }

    public IEnumerable<TextPiece> Prepare(SynthesisRequest request)
    {
        var text = request.Text;
        world.Call("prepare");
        world.Check("prepare", text.Contains(FakeWorld.PoisonText));
        var start = 0;
        while (start < text.Length)
        {
            var end = text.IndexOf('.', start);
            end = end < 0 ? text.Length : end + 1;
            var tokens = Tokens(text[start..end]);
            if (tokens.Length > 0)
                yield return new TextPiece(text[start..end], tokens, start..end);
            start = end;
        }
    }

    public LanguagePrompt CreatePrompt(TimbreFeatures timbre, SynthesisRequest request) => new([7, 8], timbre.SpeechTokens, 1);

    public ITextFeed CreateFeed(SynthesisRequest request) => new Feed();

    public ISourceFeed CreateSourceFeed(bool live) => new SourceFeed(world);

    public void Dispose() { }

    /// <summary>A sample is a token, its value times a hundred; negative ones are pauses, which end an utterance.</summary>
    private sealed class SourceFeed(FakeWorld world) : ISourceFeed
    {
        private readonly List<float> _samples = [];
        private bool _complete;
        private int _at;

        public void Push(AudioClip piece) => _samples.AddRange(piece.Samples.Span);

        public void Complete()
        {
            _complete = true;
            if (_samples.Count == 0)
                throw new TtsAudioException("no samples");
        }

        public SourcePart? Next()
        {
            world.Call("source");
            var count = Math.Min(5, _samples.Count - _at);
            if (count < 5 && !_complete)
                return null;
            var part = _samples.GetRange(_at, count);
            _at += count;
            return new SourcePart([.. part.Where(sample => sample >= 0).Select(sample => (int)Math.Round(sample * 100))],
                part.Exists(sample => sample < 0) || (_complete && _at == _samples.Count), _complete && _at == _samples.Count);
        }
    }

    private static int[] Tokens(string text) => [.. text.Split([' ', '.'], StringSplitOptions.RemoveEmptyEntries).Select(word => word.Length)];

    private sealed class Feed : ITextFeed
    {
        private string _rest = "";
        private int _taken;

        public IEnumerable<FeedPart> Push(string piece)
        {
            _rest += piece;
            for (int cut; (cut = _rest.IndexOfAny([' ', '.'])) >= 0;)
            {
                var word = _rest[..(cut + 1)];
                _rest = _rest[(cut + 1)..];
                _taken += word.Length;
                if (Tokens(word).Length > 0)
                    yield return new FeedPart(Tokens(word), word.EndsWith('.'), _taken, word);
            }
        }

        public IEnumerable<FeedPart> Flush() => []; // a sentence is handed on with its stop

        public IEnumerable<FeedPart> Finish()
        {
            if (Tokens(_rest).Length > 0)
                yield return new FeedPart(Tokens(_rest), true, _taken + _rest.Length, _rest);
        }
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose() { }
    }
}
