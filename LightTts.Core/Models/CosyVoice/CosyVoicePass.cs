using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Vocoder;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Rows on their way through flow and vocoder, as one batch. A part may be done on another thread than the one before.</summary>
internal sealed class CosyVoicePass : IDecodePass
{
    private readonly CosyVoiceDecoder _decoder;
    private readonly IReadOnlyList<DecodeRow> _rows;
    private readonly List<FlowRow> _mels;
    private readonly List<(DecodeRow Owner, VocoderRow Wave)> _waves = [];
    private IDecodePass? _flow;
    private IDecodePass? _vocoder;

    public CosyVoicePass(CosyVoiceDecoder decoder, IReadOnlyList<DecodeRow> rows)
    {
        (_decoder, _rows) = (decoder, rows);
        _mels = [.. rows.Select(row => new FlowRow { State = ((CosyVoiceDecodeState)row.State).Next, Tokens = row.Tokens, Final = row.Final })];
        _flow = decoder.BeginFlow(_mels);
    }

    public bool Advance()
    {
        if (_flow is not null)
        {
            if (_flow.Advance())
                return true;
            _flow.Dispose();
            _flow = null;
            BeginVocoder();
            return _waves.Count > 0;
        }
        if (_vocoder is null || _vocoder.Advance())
            return _vocoder is not null;
        foreach (var (owner, wave) in _waves)
            (owner.Error, owner.Samples) = (wave.Error, wave.Samples);
        return false;
    }

    public void Dispose()
    {
        _flow?.Dispose();
        _vocoder?.Dispose();
        foreach (var row in _mels)
            row.Mel?.Dispose();
        foreach (var (_, wave) in _waves)
            wave.Mel.Dispose();
    }

    private void BeginVocoder()
    {
        for (var i = 0; i < _rows.Count; i++)
        {
            var (row, mel, state) = (_rows[i], _mels[i], (CosyVoiceDecodeState)_rows[i].State);
            row.Error = mel.Error;
            if (mel.Error is not null)
                continue;
            using var scope = NewDisposeScope();
            var frames = state.Take(mel);
            // A last pass flushes the vocoder even where it brings no frames.
            if (frames is null && !row.Final)
                continue;
            state.HasAudio |= frames is not null;
            if (!state.HasAudio)
                continue;
            _waves.Add((row, new VocoderRow
            {
                State = state.Vocoder,
                Mel = _decoder.AtSpeed(frames, state.Options.Speed).DetachFromDisposeScope(),
                Final = row.Final,
            }));
        }
        if (_waves.Count > 0)
            _vocoder = _decoder.BeginVocoder([.. _waves.Select(wave => wave.Wave)]);
    }
}
