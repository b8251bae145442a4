namespace LightTts.Models.CosyVoice.Language;

/// <summary>The inputs of one step, packed one sequence after the other: those with a single input first. Reused from step to step.</summary>
internal sealed class LanguageBatch
{
    private int[] _inputs = new int[64];
    private int[] _positions = new int[64];
    private int[] _follows = new int[64];
    private readonly List<Sequence> _sequences = [];
    private readonly List<int> _logitRows = [];

    /// <summary>A sequence's part.</summary>
    /// <param name="State">Its blocks hold all positions up to <c>Past + Count</c>.</param>
    /// <param name="Start">Its first packed row.</param>
    /// <param name="Count">Its number of packed rows.</param>
    /// <param name="Past">Positions that are in the cache already.</param>
    public readonly record struct Sequence(LanguageState State, int Start, int Count, int Past);

    /// <summary>Number of packed rows.</summary>
    public int Count { get; private set; }

    /// <summary>Encoded inputs (see <see cref="LanguageRow"/>).</summary>
    public ReadOnlySpan<int> Inputs => _inputs.AsSpan(0, Count);

    /// <summary>Position of each input in its sequence.</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, Count);

    /// <summary>Of each input the draw of the step under way whose token it is; -1 where it is known.</summary>
    public ReadOnlySpan<int> Follows => _follows.AsSpan(0, Count);

    public IReadOnlyList<Sequence> Sequences => _sequences;

    /// <summary>Packed rows whose logits are wanted.</summary>
    public IReadOnlyList<int> LogitRows => _logitRows;

    public void Clear()
    {
        Count = 0;
        _sequences.Clear();
        _logitRows.Clear();
    }

    /// <summary>Adds a sequence's part.</summary>
    /// <param name="state">Its place in the cache.</param>
    /// <param name="inputs">What it feeds.</param>
    /// <param name="wantsLogits">Whether a token is drawn after the last of them.</param>
    /// <param name="follows">The draw of the step under way whose token stands for the one input; -1 where it is known.</param>
    public void Add(LanguageState state, ReadOnlySpan<int> inputs, bool wantsLogits, int follows = -1)
    {
        int start = Count, past = state.Length;
        Count += inputs.Length;
        if (Count > _inputs.Length)
        {
            Array.Resize(ref _inputs, Math.Max(Count, 2 * _inputs.Length));
            Array.Resize(ref _positions, _inputs.Length);
            Array.Resize(ref _follows, _inputs.Length);
        }

        inputs.CopyTo(_inputs.AsSpan(start));
        for (var i = 0; i < inputs.Length; i++)
            (_positions[start + i], _follows[start + i]) = (past + i, follows);
        _sequences.Add(new Sequence(state, start, inputs.Length, past));
        if (wantsLogits)
            _logitRows.Add(Count - 1);
    }
}
