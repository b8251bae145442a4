using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>Draws on the host, for engines whose logits are there or are brought there.</summary>
internal sealed class HostSampler(LanguageModelConfig config)
{
    private readonly RasSampler _sampler = new(config, LanguageVocabulary.For(config));
    private readonly int _width = LanguageVocabulary.For(config).LogitCount;
    private TokenDraw[] _draws = [];
    private float[] _logits = [];
    private int _count;

    /// <summary>The logits of the step under way, row-major [draws, logits], to be filled by the engine.</summary>
    public Span<float> Logits => _logits.AsSpan(0, _count * _width);

    /// <summary>Keeps how to draw until the logits are there.</summary>
    public void Expect(ReadOnlySpan<TokenDraw> draws)
    {
        if (draws.Length > _draws.Length)
        {
            _draws = new TokenDraw[Math.Max(draws.Length, 2 * _draws.Length)];
            _logits = new float[_draws.Length * _width];
        }
        _count = draws.Length;
        draws.CopyTo(_draws);
    }

    /// <summary>Draws from <see cref="Logits"/>, which it overwrites in part.</summary>
    public void Draw(Span<int> tokens)
    {
        for (var i = 0; i < _count; i++)
            tokens[i] = _sampler.TryDraw(_logits.AsSpan(i * _width, _width), _draws[i], out var token) ? token : ILanguageEngine.NotFinite;
    }
}
