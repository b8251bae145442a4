using LightTts.Models;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Language;

/// <summary>Which draw of the step under way a row's input is, over an engine that knows its tokens when it is asked for them.</summary>
public sealed class LanguageStepsAheadTests
{
    private readonly LateEngine _engine = new();
    private readonly LanguageModel _model;

    public LanguageStepsAheadTests() =>
        _model = new LanguageModel(LanguageModels.Config, _engine, new LanguageModelOptions(64, new LanguageLimits(8, 128)));

    [Fact]
    public void A_row_is_fed_what_its_own_sequence_drew_wherever_it_stands()
    {
        using var prompt = _model.CreateState();
        using var single = _model.CreateState();
        using var silent = _model.CreateState();
        // Packed, the single one comes first; the piece of a prompt draws nothing.
        LanguageRow[] first = [Row(silent, [1, 2, 3], draws: false), Row(prompt, [4, 5]), Row(single, [6])];
        _model.Launch(first);
        Assert.True(_model.CanFollow);
        LanguageRow[] second = [Row(silent, [9]), Row(prompt, [0], first[1]), Row(single, [0], first[2])];
        _model.Launch(second);
        Assert.False(_model.CanFollow);
        _model.Collect();
        Assert.Equal([-1, 5, 6], first.Select(row => row.Token));
        _model.Collect();
        Assert.Equal([9, 105, 106], second.Select(row => row.Token));
        Assert.Equal([4, 3, 2], new[] { silent, prompt, single }.Select(state => state.Length));
    }

    [Fact]
    public void A_row_that_follows_nothing_fails_alone()
    {
        using var piece = _model.CreateState();
        using var other = _model.CreateState();
        LanguageRow[] first = [Row(piece, [1, 2], draws: false), Row(other, [3])];
        _model.Launch(first);
        LanguageRow[] second = [Row(piece, [0], first[0]), Row(other, [0], first[1])];
        _model.Launch(second);
        _model.Collect();
        _model.Collect();
        Assert.NotNull(second[0].Error);
        Assert.Equal(103, second[1].Token);
    }

    private static LanguageRow Row(ILanguageState state, int[] inputs, LanguageRow? follows = null, bool draws = true) =>
        new() { State = state, Inputs = inputs, Follows = follows, Draw = draws ? LanguageModels.AnyDraw : null };

    /// <summary>Draws the last input, and a hundred more where a step before drew that.</summary>
    private sealed class LateEngine : ILanguageEngine
    {
        private readonly Queue<int[]> _launched = [];
        private int[] _last = [];

        public bool CanFollow => true;

        public void Prepare(int maxRows) { }

        public void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
        {
            var tokens = new int[draws.Length];
            for (var i = 0; i < tokens.Length; i++)
                tokens[i] = batch.Follows[batch.LogitRows[i]] is >= 0 and var draw ? 100 + _last[draw] : batch.Inputs[batch.LogitRows[i]];
            _launched.Enqueue(_last = tokens);
        }

        public void Collect(Span<int> tokens) => _launched.Dequeue().CopyTo(tokens);

        public ReadOnlySpan<float> CollectLogits() => [];

        public void Dispose() { }
    }
}
