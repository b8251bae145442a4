using System.Collections.Frozen;

namespace LightTts.Text;

/// <summary>How a request's text is read.</summary>
internal sealed record TextOptions
{
    /// <summary>What counts where nothing is said.</summary>
    public static TextOptions Default { get; } = new();

    /// <summary>Whether figures, abbreviations and the like are written out.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>Whether steering tokens in the text are the model's, otherwise they are text.</summary>
    public bool AllowSpecialTokens { get; init; }

    /// <summary>A BCP 47 tag; null: found in the text.</summary>
    public string? Language { get; init; }

    /// <summary>How English is read.</summary>
    public ReadingOptions Reading { get; init; } = ReadingOptions.Default;

    /// <summary>Pronunciations; the first that has a word counts.</summary>
    public IReadOnlyList<PronunciationDictionary> Pronunciations { get; init; } = [];

    /// <summary>Tags of sounds and phonemes that the model has tokens for.</summary>
    public FrozenSet<string> Tags { get; init; } = SpecialTokens.Tags(SpecialTokens.Version3);

    /// <summary>Whether the model wants a capital at the start of an utterance.</summary>
    public bool SentenceCase { get; init; }

    /// <summary>Whether the model wants a mark at the end of an utterance; null: it does not say, and text that is normalised gets one.</summary>
    public bool? FinalPunctuation { get; init; }

    /// <summary>Whether the model wants the name of a letter that stands alone spelt.</summary>
    public bool LetterNames { get; init; }

    /// <summary>Whether text that ends without a mark gets one.</summary>
    public bool Closes => FinalPunctuation ?? Normalize;

    /// <summary>What a pipeline's options and its model say.</summary>
    public static TextOptions Of(TtsPipelineOptions options, bool sentenceCase = false, bool? finalPunctuation = null, bool letterNames = false) =>
        new()
    {
        SentenceCase = sentenceCase,
        FinalPunctuation = finalPunctuation,
        LetterNames = letterNames,
        Reading = new ReadingOptions(options.English == EnglishReading.British, options.Emoji == EmojiReading.Named),
        Pronunciations = options.Pronunciations is { } words ? [words] : [],
    };

    /// <summary>These, and on top of them what a request says.</summary>
    public TextOptions For(SynthesisRequest request) => this with
    {
        Normalize = request.NormalizeText,
        AllowSpecialTokens = request.AllowSpecialTokens,
        Language = request.Language,
        Reading = new ReadingOptions(IsBritish(request.Language) ?? Reading.British, request.Emoji is { } emoji ? emoji == EmojiReading.Named
        : Reading.NameEmoji),
        Pronunciations = request.Pronunciations is { } words ? [words, .. Pronunciations] : Pronunciations,
    };

    /// <summary>What a tag of English says about its reading; null: nothing.</summary>
    private static bool? IsBritish(string? language)
    {
        if (language?.Split('-') is not [var primary, .., var region] || !primary.Equals("en", StringComparison.OrdinalIgnoreCase))
            return null;
        return region.ToUpperInvariant() switch
        {
            "GB" or "UK" or "IE" or "AU" or "NZ" or "ZA" or "IN" => true,
            "US" or "CA" => false,
            _ => null,
        };
    }
}
