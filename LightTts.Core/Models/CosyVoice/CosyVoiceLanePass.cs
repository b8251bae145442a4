using LightTts.Torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Rows side by side on the CPU, each a pass of its own: a peer can then not change
/// a bit of another's audio. A part is one part of every row that is not done.</summary>
/// <remarks>Rows meet after each part, not only at the end: those with more frames are
/// the slower ones in every part, so that meeting more often costs next to nothing,
/// and between the parts nothing runs.</remarks>
internal sealed class CosyVoiceLanePass : IDecodePass
{
    private readonly TorchLanes _lanes;
    private readonly List<(DecodeRow Row, CosyVoicePass Pass)> _open = [];
    private readonly List<CosyVoicePass> _passes = [];

    public CosyVoiceLanePass(CosyVoiceDecoder decoder, IReadOnlyList<DecodeRow> rows, TorchLanes lanes)
    {
        _lanes = lanes;
        foreach (var row in rows)
        {
            _passes.Add(new CosyVoicePass(decoder, [row]));
            _open.Add((row, _passes[^1]));
        }
    }

    public bool Advance()
    {
        var count = Math.Min(_open.Count, _lanes.Count);
        var more = new bool[count];
        _lanes.Run(count, i => more[i] = Advance(_open[i].Row, _open[i].Pass));
        for (var i = count - 1; i >= 0; i--)
            if (!more[i])
                _open.RemoveAt(i);
        return _open.Count > 0;
    }

    public void Dispose()
    {
        foreach (var pass in _passes)
            pass.Dispose();
    }

    private static bool Advance(DecodeRow row, CosyVoicePass pass)
    {
        try
        {
            return pass.Advance();
        }
        catch (Exception e)
        {
            row.Error = e;
            return false;
        }
    }
}
