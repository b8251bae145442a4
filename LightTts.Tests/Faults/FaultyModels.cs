using LightTts.Models;
using LightTts.Timbres;

namespace LightTts.Tests.Faults;

/// <summary>Real models in whose place a call may throw.</summary>
internal sealed class FaultyModels
{
    private volatile Action? _onCall;

    public Action? OnCall
    {
        set => _onCall = value;
    }

    public ModelParts Wrap(ModelParts parts) =>
        new(new Encoder(this, parts.Encoder), [.. parts.Styles.Select(style => style with { Model = new Language(this, style.Model) })],
            new Decoder(this, parts.Decoder));

    private sealed class Encoder(FaultyModels owner, ISpeechEncoder inner) : ISpeechEncoder
    {
        public string ExtractorId => inner.ExtractorId;

        public IDisposable EnterThread() => inner.EnterThread();

        public void WarmUp() => inner.WarmUp();

        public TimbreFeatures ExtractTimbre(AudioClip reference, string? transcript)
        {
            owner._onCall?.Invoke();
            return inner.ExtractTimbre(reference, transcript);
        }

        public IEnumerable<TextPiece> Prepare(SynthesisRequest request)
        {
            owner._onCall?.Invoke();
            return inner.Prepare(request);
        }

        public LanguagePrompt CreatePrompt(TimbreFeatures timbre, SynthesisRequest request)
        {
            owner._onCall?.Invoke();
            return inner.CreatePrompt(timbre, request);
        }

        public ITextFeed CreateFeed(SynthesisRequest request) => inner.CreateFeed(request);

        public ISourceFeed CreateSourceFeed(bool live)
        {
            owner._onCall?.Invoke();
            return inner.CreateSourceFeed(live);
        }

        public void Dispose() => inner.Dispose();
    }

    private sealed class Language(FaultyModels owner, ILanguageModel inner) : ILanguageModel
    {
        public SpeechPace Pace => inner.Pace;

        public SpeechVocabulary Vocabulary => inner.Vocabulary;

        public int KvBlockSize => inner.KvBlockSize;

        public int KvBlocks => inner.KvBlocks;

        public int FreeKvBlocks => inner.FreeKvBlocks;

        public LanguageLimits Limits => inner.Limits;

        public bool CanFollow => inner.CanFollow;

        public IDisposable EnterThread() => inner.EnterThread();

        public void WarmUp() => inner.WarmUp();

        public ILanguageState CreateState() => inner.CreateState();

        public void Launch(IReadOnlyList<LanguageRow> rows)
        {
            owner._onCall?.Invoke();
            inner.Launch(rows);
        }

        public void Collect()
        {
            inner.Collect(); // a step that fails is over, too
            owner._onCall?.Invoke();
        }

        public void Dispose() => inner.Dispose();
    }

    private sealed class Decoder(FaultyModels owner, ISpeechDecoder inner) : ISpeechDecoder
    {
        public int SampleRate => inner.SampleRate;

        public int SamplesPerToken => inner.SamplesPerToken;

        public int ChunkTokens => inner.ChunkTokens;

        public int MaxRows => inner.MaxRows;

        public int MaxOpenPasses => inner.MaxOpenPasses;

        public IDisposable EnterThread() => inner.EnterThread();

        public void WarmUp() => inner.WarmUp();

        public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options)
        {
            owner._onCall?.Invoke();
            return inner.CreateState(timbre, options);
        }

        public IDecodePass? BeginPrompt(IDecodeState state)
        {
            owner._onCall?.Invoke();
            return inner.BeginPrompt(state) is { } pass ? new Pass(owner, pass) : null;
        }

        public IDecodePass Begin(IReadOnlyList<DecodeRow> rows)
        {
            owner._onCall?.Invoke();
            return new Pass(owner, inner.Begin(rows));
        }

        public void Dispose() => inner.Dispose();
    }

    private sealed class Pass(FaultyModels owner, IDecodePass inner) : IDecodePass
    {
        public bool Advance()
        {
            owner._onCall?.Invoke();
            return inner.Advance();
        }

        public void Dispose() => inner.Dispose();
    }
}
