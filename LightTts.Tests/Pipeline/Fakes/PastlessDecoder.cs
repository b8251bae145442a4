using LightTts.Models;
using LightTts.Timbres;

namespace LightTts.Tests.Pipeline.Fakes;

/// <summary>A decoder of another generation: keeps no past but computes all of it again in every pass, has no prompt to share, takes one row
/// and one pass at a time, other chunks, another look-ahead and another rate. A sample depends on all tokens before it.</summary>
internal sealed class PastlessDecoder(FakeWorld world) : ISpeechDecoder
{
    private const int Lookahead = 2;

    public int SampleRate => 175;

    public int SamplesPerToken => 7;

    public int ChunkTokens => 4;

    public int MaxRows => 1;

    public int MaxOpenPasses => 1;

    public IDisposable EnterThread() => new MemoryStream();

    public void WarmUp() => world.Call("warm-up decode");

    public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options) => new State(this, world, options.Streaming);

    public IDecodePass? BeginPrompt(IDecodeState state) => null;

    public IDecodePass Begin(IReadOnlyList<DecodeRow> rows) => new Pass(this, world, rows.Single());

    public void Dispose() => world.ModelsDisposed++;

    private float[] Render(List<int> tokens, int count)
    {
        var sum = 0;
        return [.. tokens.Take(count).SelectMany(token => Enumerable.Repeat((sum = (sum * 3 + token) % 256) / 512f, SamplesPerToken))];
    }

    private sealed class State : IDecodeState
    {
        private readonly PastlessDecoder _decoder;
        private readonly FakeWorld _world;
        private readonly bool _streaming;
        private bool _disposed;

        public State(PastlessDecoder decoder, FakeWorld world, bool streaming)
        {
            (_decoder, _world, _streaming) = (decoder, world, streaming);
            _world.DecodeStates++;
        }

        public List<int> Tokens { get; } = [];

        public int Done { get; set; }

        public bool NeedsPrompt => false;

        public int TokensWanted => _streaming ? Done + _decoder.ChunkTokens + Lookahead - Tokens.Count : int.MaxValue;

        public long CacheBytes => 0;

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
        private readonly PastlessDecoder _decoder;
        private readonly FakeWorld _world;
        private readonly DecodeRow _row;
        private int _parts;

        public Pass(PastlessDecoder decoder, FakeWorld world, DecodeRow row)
        {
            (_decoder, _world, _row) = (decoder, world, row);
            _world.OpenPasses++;
        }

        public bool Advance()
        {
            _world.Call("decode");
            if (_parts++ < 2)
                return true;
            var state = (State)_row.State;
            state.Tokens.AddRange(_row.Tokens.Span);
            var chunk = _decoder.ChunkTokens;
            var ready = _row.Final ? state.Tokens.Count : Math.Max(0, state.Tokens.Count - Lookahead) / chunk * chunk;
            if (ready > state.Done)
            {
                _row.Samples = _decoder.Render(state.Tokens, ready)[(state.Done * _decoder.SamplesPerToken)..];
                state.Done = ready;
            }
            return false;
        }

        public void Dispose() => _world.OpenPasses--;
    }
}
