using System.Text;
using Microsoft.ML.Tokenizers;

namespace LightTts.Text;

/// <summary>Qwen2's byte-level BPE with the tokens that CosyVoice adds.</summary>
/// <remarks>Thread-safe. Any text can be encoded: lone surrogates become U+FFFD. Reference: CosyVoice2Tokenizer, CosyVoice3Tokenizer.</remarks>
internal sealed class QwenTokenizer
{
    private readonly BpeTokenizer _bpe;
    private readonly Dictionary<int, string> _tokens = [];
    private readonly Dictionary<int, string> _added = [];

    private readonly SpecialTokenMatcher _all;
    private readonly SpecialTokenMatcher _tags;

    private QwenTokenizer(QwenVocabulary vocabulary)
    {
        _bpe = BpeTokenizer.Create(new BpeOptions(vocabulary.Ids) { ByteLevel = true, Merges = vocabulary.Merges });
        foreach (var (token, id) in vocabulary.Ids)
            _tokens[id] = token;
        foreach (var (token, id) in vocabulary.Added)
            _added[id] = token;
        _all = new SpecialTokenMatcher(vocabulary.Added);
        _tags = new SpecialTokenMatcher(SpecialTokens.Version3.Where(token => !SpecialTokens.IsSteering(token) && vocabulary.Added.ContainsKey(token))
            .ToDictionary(token => token, token => vocabulary.Added[token], StringComparer.Ordinal));
        EndOfPromptId = vocabulary.Added[SpecialTokens.EndOfPrompt];
        VocabularySize = Math.Max(_tokens.Keys.Max(), _added.Keys.Max()) + 1;
    }

    /// <summary>The id of <c>&lt;|endofprompt|&gt;</c>.</summary>
    public int EndOfPromptId { get; }

    /// <summary>One more than the highest id; embedding tables need at least as many rows.</summary>
    public int VocabularySize { get; }

    /// <summary>Finds the added tokens in raw text: all of them, or only the sounds and phonemes, which do no harm.</summary>
    internal SpecialTokenMatcher Matcher(bool allowSteering) => allowSteering ? _all : _tags;

    /// <summary>Loads vocab.json, merges.txt and tokenizer_config.json.</summary>
    /// <param name="folder">CosyVoice-BlankEN of a model directory.</param>
    /// <param name="added">The tokens that are added to it, in the order of their ids: one of <see cref="SpecialTokens"/>' lists.</param>
    /// <exception cref="TtsModelLoadException">A file is missing or damaged.</exception>
    public static QwenTokenizer Load(string folder, IReadOnlyList<string> added)
    {
        try
        {
            return new QwenTokenizer(QwenVocabulary.Read(folder, added));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException)
        {
            throw new TtsModelLoadException($"The tokenizer in {folder} is not a byte-level BPE tokenizer: {e.Message}", e);
        }
    }

    /// <summary>Token ids of a text, nothing added at either end.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="allowSteering">Whether tokens such as <c>&lt;|endofprompt|&gt;</c> are
    /// found in it, otherwise they are text: a user's text must not steer the model.</param>
    public int[] Encode(string text, bool allowSteering = true)
    {
        var matcher = Matcher(allowSteering);
        var ids = new List<int>(text.Length / 3);
        for (int start = 0, position = 0; start < text.Length; start = position)
        {
            var found = matcher.TryFind(text, ref position, out var length, out var id, final: true);
            EncodePieces(UnicodeComposition.Normalize(text.AsSpan(start, position - start)), final: true, ids);
            if (found)
                ids.Add(id);
            position += length;
        }
        return [.. ids];
    }

    /// <summary>The text that token ids stand for; ids that mean nothing are left out, bytes that are not UTF-8 become U+FFFD.</summary>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        foreach (var id in ids)
        {
            if (_added.TryGetValue(id, out var added))
            {
                text.Append(Encoding.UTF8.GetString([.. bytes])).Append(added);
                bytes.Clear();
            }
            else if (_tokens.TryGetValue(id, out var token))
                ByteAlphabet.Decode(token, bytes);
        }
        return text.Append(Encoding.UTF8.GetString([.. bytes])).ToString();
    }

    /// <summary>Encodes normalised text without added tokens.</summary>
    /// <param name="text">In form C.</param>
    /// <param name="final">Whether no more text follows; if some may, the part that it could change is left.</param>
    /// <param name="ids">Gets the ids.</param>
    /// <returns>How many UTF-16 code units were encoded.</returns>
    internal int EncodePieces(ReadOnlySpan<char> text, bool final, List<int> ids)
    {
        var done = 0;
        while (done < text.Length && QwenPreTokenizer.Next(text[done..], final) is var length and > 0)
        {
            ids.AddRange(_bpe.EncodeToIds(text.Slice(done, length), considerPreTokenization: false, considerNormalization: false));
            done += length;
        }
        return done;
    }
}
