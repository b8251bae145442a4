using LightTts.Models;

namespace LightTts.Tests.Pipeline.Fakes;

/// <summary>Draws tokens as a pure function of the sequence's inputs, so that batching, preemption and order can be seen to change nothing.</summary>
/// <remarks>A step is computed where it is collected, so that what follows another is launched before anybody can know its input.</remarks>
internal sealed class FakeLanguageModel(FakeWorld world, int blocks = 64, LanguageLimits? limits = null, ulong accent = 0,
    SpeechVocabulary? vocabulary = null, bool goesAhead = false) : ILanguageModel
{
    private readonly Queue<List<Fed>> _launched = [];
    private int _blocksInUse;

    public const int TokensPerText = 6;

    public SpeechVocabulary Vocabulary { get; } = vocabulary ?? new(100, 105, ~100, ~102, 101, 103, 100, 104, 100, 5, 15, new HashSet<int>());

    public SpeechPace Pace => world.Pace;

    public int KvBlockSize => 16;

    public int KvBlocks => blocks;

    public int FreeKvBlocks => blocks - _blocksInUse;

    public LanguageLimits Limits { get; } = limits ?? new LanguageLimits(16, 32);

    public bool CanFollow => goesAhead && _launched.Count == 1;

    public IDisposable EnterThread() => new MemoryStream();

    public void WarmUp() => world.Call("warm-up language");

    public ILanguageState CreateState() => new State(this, world);

    public void Launch(IReadOnlyList<LanguageRow> rows)
    {
        if (_launched.Count > (goesAhead ? 1 : 0))
            throw new InvalidOperationException("too many steps under way");
        world.Rows = rows.Count;
        world.Call("step");
        foreach (var row in rows)
            world.Check("step", row.Draw is { Seed: FakeWorld.PoisonSeed });
        world.Steps++;
        world.StepsAhead += _launched.Count;
        world.MaxRowsSeen = Math.Max(world.MaxRowsSeen, rows.Count);
        List<Fed> fed = [];
        foreach (var row in rows)
        {
            var before = row.Follows is null ? null : _launched.Peek().Single(other => other.Row == row.Follows && other.Row.Draw is not null);
            fed.Add(new Fed(row, before, ((State)row.State).Reserve(row.Inputs.Length)));
        }
        if (_blocksInUse > blocks)
            throw new InvalidOperationException("the pool ran out of blocks");
        _launched.Enqueue(fed);
    }

    public void Collect()
    {
        var fed = _launched.Dequeue();
        world.Call("collect");
        foreach (var part in fed)
            world.Check("collect", part.Row.Draw is { Seed: FakeWorld.PoisonSeed });
        foreach (var part in fed)
        {
            var (row, state) = (part.Row, (State)part.Row.State);
            if (!state.TryFeed(part.Life, part.Before is { } before ? [~before.Token] : row.Inputs.Span) || row.Draw is not { } draw)
                continue;
            if (world.Poisoned == "row" && draw.Seed == FakeWorld.PoisonSeed)
            {
                row.Error = new TtsSynthesisException("The model's logits are not finite.");
                continue;
            }
            if (world.IsMute || draw.Seed is FakeWorld.EndlessSeed or FakeWorld.SilentSeed)
            {
                part.Token = row.Token = world.IsMute || draw.Seed == FakeWorld.SilentSeed ? Vocabulary.Eos : 1;
                continue;
            }
            if (world.AsksForText && draw.MayFill && state.Hash % 5 == 0)
            {
                part.Token = row.Token = Vocabulary.Fill;
                continue;
            }
            // eos after a few sounds for each text token that the sequence has seen
            var texts = state.Inputs.Count(id => id >= 0);
            part.Token = row.Token = !draw.IgnoreEos && draw.History.Count >= texts * TokensPerText / 2
                ? Vocabulary.Eos
                : (int)((state.Hash + draw.Seed + accent) % (ulong)Vocabulary.Size);
        }
    }

    public void Dispose() => world.ModelsDisposed++;

    /// <summary>A row of a step under way, whom it follows, and the life that its sequence had in the cache.</summary>
    private sealed record Fed(LanguageRow Row, Fed? Before, int Life)
    {
        public int Token { get; set; }
    }

    private sealed class State : ILanguageState
    {
        private readonly FakeLanguageModel _model;
        private readonly FakeWorld _world;
        private bool _disposed;
        private int _life; // counts resets and retreats

        public State(FakeLanguageModel model, FakeWorld world)
        {
            _model = model;
            _world = world;
            _world.LanguageStates++;
        }

        public List<int> Inputs { get; } = [];

        public ulong Hash { get; private set; }

        public int Length { get; private set; }

        /// <summary>Takes the blocks for that many more positions.</summary>
        public int Reserve(int positions)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var before = (Length + 15) / 16;
            Length += positions;
            _model._blocksInUse += (Length + 15) / 16 - before;
            return _life;
        }

        /// <returns>False where the sequence was reset, or has gone back, since the step was launched: its numbers are lost.</returns>
        public bool TryFeed(int life, ReadOnlySpan<int> inputs)
        {
            if (life != _life)
                return false;
            foreach (var id in inputs)
            {
                Inputs.Add(id);
                Hash = unchecked(Hash * 31 + (ulong)(id + 1000));
            }
            return true;
        }

        public void Retreat(int positions)
        {
            var before = (Length + 15) / 16;
            Length -= positions;
            _model._blocksInUse += (Length + 15) / 16 - before;
            _life++;
        }

        public void Reset()
        {
            _model._blocksInUse -= (Length + 15) / 16;
            Inputs.Clear();
            (Hash, Length) = (0, 0);
            _life++;
        }

        public void Dispose()
        {
            if (_disposed)
                return;
            Reset();
            _disposed = true;
            _world.LanguageStates--;
        }
    }
}
