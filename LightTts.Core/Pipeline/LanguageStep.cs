using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>A step of a language model on its way: who takes part, and with which rows.</summary>
internal sealed class LanguageStep
{
    private readonly List<LanguageSequence> _sequences = [];
    private readonly List<LanguageRow> _rows = [];

    /// <summary>Those that were chosen, in the order of <see cref="Rows"/>.</summary>
    public IReadOnlyList<LanguageSequence> Sequences => _sequences;

    public IReadOnlyList<LanguageRow> Rows => _rows;

    /// <summary>Takes the rows that the sequences have just chosen.</summary>
    public void Take(List<LanguageSequence> chosen)
    {
        _sequences.Clear();
        _rows.Clear();
        foreach (var sequence in chosen)
        {
            _sequences.Add(sequence);
            _rows.Add(sequence.Row!);
        }
    }

    public void Launched()
    {
        foreach (var sequence in _sequences)
            sequence.Launched();
    }

    /// <summary>Leaves those out whose results count no more, as they have ended or begun anew since.</summary>
    public void Collected()
    {
        var kept = 0;
        for (var i = 0; i < _sequences.Count; i++)
            if (_sequences[i].Collected(_rows[i]))
                (_sequences[kept], _rows[kept++]) = (_sequences[i], _rows[i]);
        _sequences.RemoveRange(kept, _sequences.Count - kept);
        _rows.RemoveRange(kept, _rows.Count - kept);
    }
}
