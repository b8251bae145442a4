using LightTts.Models;
using LightTts.Timbres;

namespace LightTts.Tests.Pipeline.Simulation;

/// <summary>What the models' steps and passes cost on a card, in milliseconds.</summary>
/// <param name="Step">A step of the language model with one row.</param>
/// <param name="StepRow">Each further row.</param>
/// <param name="Prompt">Each position of a prompt.</param>
/// <param name="Flow">A pass of the flow, whatever is in it.</param>
/// <param name="FlowToken">Each token in it.</param>
/// <param name="Vocoder">A batch of the vocoder's windows.</param>
/// <param name="VocoderFrame">Each frame of the windows.</param>
/// <param name="LanguageShare">At what speed the language model goes on while the decoder works beside it.</param>
/// <param name="DecodeShare">The decoder's speed beside the language model.</param>
internal sealed record CardCosts(double Step, double StepRow, double Prompt, double Flow, double FlowToken, double Vocoder, double VocoderFrame,
    double LanguageShare, double DecodeShare)
{
    /// <summary>An H100 with the full-size model, from the table of 2026-11-26: steps of 0.80 and 1.59 ms with 1 and 64 rows, a prompt of 160
    /// positions in 1.8; 2.9 and 2.2 ms for each of 8 and 32 chunks of the flow; vocoder 5.7 ms for one chunk, 2.6 for each of 16.</summary>
    public static readonly CardCosts H100 = new(Step: 0.80, StepRow: 0.0125, Prompt: 0.0063, Flow: 7.5, FlowToken: 0.079, Vocoder: 3.3,
        VocoderFrame: 0.0246, LanguageShare: 0.7, DecodeShare: 0.6);
}

/// <summary>A decoder whose parts take the time that the costs say, and whose samples are silence.</summary>
/// <param name="costs">What they take.</param>
/// <param name="work">Lets so many milliseconds of the decoder's work go by.</param>
internal sealed class SimulatedDecoder(CardCosts costs, Action<double> work) : ISpeechDecoder
{
    private const int LookAhead = 3, HeldFrames = 8, FirstFrames = 14, Context = 24, SolverSteps = 10, MostFrames = 6144;

    public int SampleRate => 24_000;

    public int SamplesPerToken => 960;

    public int ChunkTokens => 25;

    public double HeldTokens => LookAhead + HeldFrames / 2.0;

    public bool IsBatched => true;

    public int MaxRows => 32;

    public int MaxOpenPasses => 4;

    public IDisposable EnterThread() => new MemoryStream();

    public void WarmUp() { }

    public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options) => new State(timbre.SpeechTokens.Length);

    public IDecodePass? BeginPrompt(IDecodeState state) => null;

    public IDecodePass Begin(IReadOnlyList<DecodeRow> rows) => new Pass(this, rows);

    public void Dispose() { }

    private void Finish(DecodeRow row, State state)
    {
        state.Tokens += row.Tokens.Length;
        state.DoneTokens = row.Final ? state.Tokens : state.End;
        var frames = row.Final ? 2 * state.DoneTokens : Math.Max(0, 2 * state.DoneTokens - HeldFrames);
        row.Samples = new float[(frames - state.GivenFrames) * SamplesPerToken / 2];
        state.GivenFrames = frames;
    }

    private sealed class State(int prompt) : IDecodeState
    {
        public int Tokens { get; set; }

        public int DoneTokens { get; set; }

        public int GivenFrames { get; set; }

        /// <summary>Tokens up to the last end of a chunk that can be computed; chunks are counted from the prompt's first frame.</summary>
        public int End => Math.Max(0, (prompt + Tokens - LookAhead) / 25 * 25 - prompt);

        public int TokensWanted
        {
            get
            {
                var wanted = DoneTokens == 0 ? FirstFrames / 2 : DoneTokens + 1;
                return Math.Max(0, (prompt + wanted + 24) / 25 * 25 - prompt + LookAhead - Tokens);
            }
        }

        public bool NeedsPrompt => false;

        public TimeSpan Deadline
        {
            set { }
        }

        public long CacheBytes => 0;

        public void Dispose() { }
    }

    private sealed class Pass(SimulatedDecoder decoder, IReadOnlyList<DecodeRow> rows) : IDecodePass
    {
        private readonly Queue<double> _parts = Parts(decoder.Costs, rows);

        public bool Advance()
        {
            decoder.Work(_parts.Dequeue());
            if (_parts.Count > 0)
                return true;
            foreach (var row in rows)
                decoder.Finish(row, (State)row.State);
            return false;
        }

        public void Dispose() { }

        private static Queue<double> Parts(CardCosts costs, IReadOnlyList<DecodeRow> rows)
        {
            var parts = new Queue<double>();
            for (var step = 0; step < SolverSteps; step++)
                parts.Enqueue((costs.Flow + costs.FlowToken * rows.Sum(row => row.Tokens.Length)) / SolverSteps);
            var windows = rows.Select(row => 2 * row.Tokens.Length + Context).OrderDescending().ToList();
            while (windows.Count > 0)
            {
                var count = Math.Clamp(MostFrames / windows[0], 1, windows.Count);
                parts.Enqueue(costs.Vocoder + costs.VocoderFrame * count * windows[0]);
                windows.RemoveRange(0, count);
            }
            return parts;
        }
    }

    private CardCosts Costs => costs;

    private void Work(double milliseconds) => work(milliseconds);
}

/// <summary>A language model whose sentences have so many speech tokens, whatever their text.</summary>
internal sealed class SimulatedLanguageModel(CardCosts costs, int tokens, bool yields) : ILanguageModel
{
    private IReadOnlyList<LanguageRow> _rows = [];

    /// <summary>Milliseconds that the step takes that was launched.</summary>
    public double Milliseconds { get; private set; }

    public SpeechVocabulary Vocabulary { get; } = new(100, 105, ~100, ~102, 101, 103, 100, 104, 100, 5, 15, new HashSet<int>());

    public SpeechPace Pace => new(25, double.MaxValue, 1e-9, 0);

    public int KvBlockSize => 16;

    public int KvBlocks => 4096;

    public int FreeKvBlocks => KvBlocks;

    public LanguageLimits Limits => new(64, 2048, Yields: yields);

    public bool CanFollow => false;

    public IDisposable EnterThread() => new MemoryStream();

    public void WarmUp() { }

    public ILanguageState CreateState() => new State();

    public void Launch(IReadOnlyList<LanguageRow> rows)
    {
        _rows = rows;
        Milliseconds = costs.Step + costs.StepRow * (rows.Count - 1) + costs.Prompt * rows.Sum(row => row.Inputs.Length - 1);
    }

    public void Collect()
    {
        foreach (var row in _rows)
        {
            ((State)row.State).Length += row.Inputs.Length;
            row.Token = row.Draw is not { } draw ? -1 : draw.Position >= tokens ? Vocabulary.FirstStop : 1;
        }
    }

    public void Dispose() { }

    private sealed class State : ILanguageState
    {
        public int Length { get; set; }

        public void Retreat(int positions) => Length -= positions;

        public void Reset() => Length = 0;

        public void Dispose() { }
    }
}
