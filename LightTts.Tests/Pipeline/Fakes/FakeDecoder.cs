using LightTts.Models;
using LightTts.Timbres;

namespace LightTts.Tests.Pipeline.Fakes;

/// <summary>A token becomes four samples of its value; non-final passes hold three tokens back and go in chunks of five.</summary>
internal sealed class FakeDecoder(FakeWorld world, int maxRows = 4, int parts = 1, int maxOpenPasses = 4) : ISpeechDecoder
{
    public const int Samples = 4;

    public int SampleRate => 100;

    public int SamplesPerToken => Samples;

    public int ChunkTokens => 5;

    public int MaxRows => maxRows;

    public int MaxOpenPasses => maxOpenPasses;

    public bool IsBatched { get; init; }

    /// <summary>Parts of a prompt; 0: there is none to compute.</summary>
    public int PromptParts { get; init; }

    public IDisposable EnterThread() => new MemoryStream();

    public void WarmUp() => world.Call("warm-up decode");

    public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options)
    {
        world.Call("state");
        world.Check("state", options.FlowSteps == FakeWorld.PoisonSteps);
        return new State(world, options) { NeedsPrompt = PromptParts > 0 };
    }

    public IDecodePass? BeginPrompt(IDecodeState state)
    {
        world.Call("prompt");
        return PromptParts > 0 ? new Pass(world, [], PromptParts, () => ((State)state).NeedsPrompt = false) : null;
    }

    public IDecodePass Begin(IReadOnlyList<DecodeRow> rows)
    {
        return new Pass(world, rows, parts, () =>
        {
            foreach (var row in rows)
                Decode(row);
        });
    }

    private void Decode(DecodeRow row)
    {
        var state = (State)row.State;
        var poisoned = state.Options.FlowSteps == FakeWorld.PoisonSteps;
        world.Check("decode", poisoned);
        state.Tokens.AddRange(row.Tokens.Span);
        var ready = row.Final ? state.Tokens.Count : (state.Tokens.Count - 3) / 5 * 5;
        row.Samples = [.. state.Tokens.Take(ready).Skip(state.Done).SelectMany(token => Enumerable.Repeat(token / 128f, Samples))];
        state.Done = Math.Max(state.Done, ready);
        Interlocked.Add(ref world.Samples, row.Samples.Length);
        if (poisoned && world.Poisoned == "nan" && row.Samples.Length > 0)
            row.Samples[^1] = float.NaN;
    }

    public void Dispose() { }

    private sealed class State : IDecodeState
    {
        private readonly FakeWorld _world;
        private readonly DecodeOptions _options;
        private bool _disposed;

        public State(FakeWorld world, DecodeOptions options)
        {
            _world = world;
            _options = options;
            _world.DecodeStates++;
        }

        public List<int> Tokens { get; } = [];

        public int Done { get; set; }

        public DecodeOptions Options => _options;

        public bool NeedsPrompt { get; set; }

        public int TokensWanted => _options.Streaming ? Done + 5 + 3 - Tokens.Count : int.MaxValue;

        public long CacheBytes => Tokens.Count;

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            _world.DecodeStates--;
        }
    }

    private sealed class Pass : IDecodePass
    {
        private readonly FakeWorld _world;
        private readonly IReadOnlyList<DecodeRow> _rows;
        private readonly Action _finish;
        private readonly int _parts;
        private int _done;
        private bool _disposed;

        public Pass(FakeWorld world, IReadOnlyList<DecodeRow> rows, int parts, Action finish)
        {
            (_world, _rows, _parts, _finish) = (world, rows, parts, finish);
            _world.OpenPasses++;
        }

        public bool Advance()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_done++ == 0)
                _world.Call("decode");
            _world.Call("part");
            if (_done < _parts || (_rows.Any(row => !((State)row.State).Options.Streaming) && _world.InPass?.Invoke() == true))
                return true;
            _finish();
            return false;
        }

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            _world.OpenPasses--;
        }
    }
}
